// Reads of one job as it is now: its row, and what memory knows beyond it. Both calls may wait on
// the disk. Thread-safe.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "scheduler/service/backend.h"
#include "switchyard/v1/job.pb.h"

namespace switchyard::scheduler {

// The id in a request's field `field`; INVALID_ARGUMENT when it is empty, NOT_FOUND when it is none
// of ours.
absl::StatusOr<JobId> ReadJobId(absl::string_view text, absl::string_view field);

// NOT_FOUND for a job that does not exist or is another tenant's.
absl::StatusOr<v1::Job> ReadJob(const Backend& backend, absl::string_view tenant, JobId id);

// The same without its spec.
absl::StatusOr<JobImage> ReadImage(const Backend& backend, absl::string_view tenant, JobId id);

// `row` as it is now, memory's knowledge added.
absl::StatusOr<v1::Job> MakePresentJob(const Backend& backend, const JobRow& row);

}  // namespace switchyard::scheduler
