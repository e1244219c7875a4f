// Between the core's image of a job and its row in the store. The one place that knows what
// `record` bytes are: a serialized switchyard.storage.v1.JobRecord.
//
// Thread-safe: pure functions.
#pragma once

#include "absl/status/status.h"
#include "scheduler/core/image.h"
#include "scheduler/store/job_store.h"

namespace switchyard::scheduler {

// What changes of a row: columns and record.
void EncodeUpdate(const JobImage& image, JobUpdate& row);
// A whole row but for the spec, which is left as it is.
void EncodeRow(const JobImage& image, JobRow& row);

// The image of a row; its spec is not looked at. DATA_LOSS naming the job when the record cannot be
// parsed.
absl::Status DecodeRow(const JobRow& row, JobImage& image);
// The same from the changing part alone: `tenant` and `kind` of the image stay unset.
absl::Status DecodeUpdate(const JobUpdate& row, JobImage& image);

}  // namespace switchyard::scheduler
