#include "scheduler/service/job_reader.h"

#include <memory>
#include <utility>

#include "common/status/error.h"
#include "scheduler/engine/row_codec.h"
#include "scheduler/validation/excerpt.h"
#include "scheduler/watch/job_view.h"

namespace switchyard::scheduler {
namespace {

absl::StatusOr<JobRow> ReadRow(const Backend& backend, absl::string_view tenant, JobId id) {
  absl::StatusOr<JobRow> row = backend.store.GetJob(id);
  if (absl::IsNotFound(row.status()) || (row.ok() && row->tenant != tenant)) {
    return NotFound("job", FormatJobId(id));
  }
  return row;
}

}  // namespace

absl::StatusOr<JobId> ReadJobId(absl::string_view text, absl::string_view field) {
  if (text.empty()) return InvalidField(field, "must be set: the id of a job");
  const std::optional<JobId> id = ParseJobId(text);
  if (!id) return NotFound("job", Excerpt(text, 64));
  return *id;
}

absl::StatusOr<v1::Job> MakePresentJob(const Backend& backend, const JobRow& row) {
  // An ended row is final whatever memory has not forgotten yet.
  if (row.end_ms == 0) {
    if (const std::shared_ptr<const JobImage> image = backend.live.Find(row.id))
      return MakeJob(*image, row.spec);
  }
  return MakeJob(row);
}

absl::StatusOr<v1::Job> ReadJob(const Backend& backend, absl::string_view tenant, JobId id) {
  const absl::StatusOr<JobRow> row = ReadRow(backend, tenant, id);
  if (!row.ok()) return row.status();
  return MakePresentJob(backend, *row);
}

absl::StatusOr<JobImage> ReadImage(const Backend& backend, absl::string_view tenant, JobId id) {
  if (const std::shared_ptr<const JobImage> image = backend.live.Find(id)) {
    if (image->tenant != tenant) return NotFound("job", FormatJobId(id));
    return *image;
  }
  const absl::StatusOr<JobRow> row = ReadRow(backend, tenant, id);
  if (!row.ok()) return row.status();
  JobImage image;
  if (absl::Status status = DecodeRow(*row, image); !status.ok()) return status;
  return image;
}

}  // namespace switchyard::scheduler
