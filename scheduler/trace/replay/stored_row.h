// A stored job's row on its way into a log, whichever database it is from.
#pragma once

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "scheduler/engine/row_codec.h"
#include "scheduler/store/job_store.h"
#include "scheduler/store/row_checksum.h"
#include "scheduler/trace/job_log.h"

namespace switchyard::scheduler {

// DATA_LOSS naming the job when the row is damaged: `checksum` is what is stored beside it.
inline absl::Status AddStoredRow(const JobRow& row, int64_t checksum, JobLogBuilder& builder) {
  if (RecordChecksum(row) != checksum) {
    return absl::DataLossError(absl::StrCat("the stored job ", FormatJobId(row.id),
                                            " is damaged: its checksum is another"));
  }
  JobImage image;
  if (absl::Status status = DecodeRow(row, image); !status.ok()) return status;
  builder.Add(image);
  return absl::OkStatus();
}

}  // namespace switchyard::scheduler
