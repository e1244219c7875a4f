// Pages of stored jobs that match a filter. The jobs of an array, and those of a pipeline's step,
// have ids that follow each other: they are found by their ids, whatever else the tenant has.
//
// Thread-safe: functions over the backend that wait on the disk.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "scheduler/core/image.h"
#include "scheduler/service/backend.h"
#include "scheduler/service/job_filter.h"

namespace switchyard::scheduler {

// The ids that jobs of the filter's array and pipeline can have, upwards and without overlap; none:
// any. NOT_FOUND: the tenant has no such array or pipeline.
absl::StatusOr<std::optional<std::vector<JobRange>>> RangesOf(const Backend& backend,
                                                              const std::string& tenant,
                                                              const JobFilter& filter);

// As JobStore::ListJobs, of these ranges only.
absl::StatusOr<JobPage> ListRanges(const Backend& backend, JobQuery query,
                                   const std::vector<JobRange>& ranges);

// A page of those the filter can match as far as the store knows: state, kind and ranges.
absl::StatusOr<JobPage> ListStored(const Backend& backend, JobQuery query, const JobFilter& filter);

}  // namespace switchyard::scheduler
