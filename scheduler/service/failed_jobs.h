// Which failed jobs a call on many means: those it names, or those a filter finds. Thread-safe.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "scheduler/service/backend.h"
#include "scheduler/service/job_filter.h"

namespace switchyard::scheduler {

// Most jobs one call changes: their rows are read on the engine's thread, some 10 us each.
inline constexpr int kMostJobsChanged = 500;

struct FailedJobsQuery {
  std::vector<JobId> jobs;  // Named ones, each once. Empty: by filter.
  std::string filter_text;
  JobFilter filter;
  JobId before = 0;  // From the page token.
};

struct FoundJobs {
  std::vector<JobId> jobs;  // Newest first when found by filter.
  JobId next_before = 0;    // 0: that was all.
};

// INVALID_ARGUMENT: both ids and a filter, neither, too many, or a filter that names a state.
// NOT_FOUND: an id that is none of ours.
template <typename Request>
absl::StatusOr<FailedJobsQuery> ReadFailedJobsQuery(const Request& request);
absl::StatusOr<FailedJobsQuery> ReadFailedJobsQuery(absl::Span<const std::string* const> jobs,
                                                    absl::string_view filter,
                                                    absl::string_view page_token);

// Reads a bounded number of rows. May wait on the disk.
absl::StatusOr<FoundJobs> FindFailedJobs(const Backend& backend, const std::string& tenant,
                                         const FailedJobsQuery& query);

template <typename Request>
absl::StatusOr<FailedJobsQuery> ReadFailedJobsQuery(const Request& request) {
  return ReadFailedJobsQuery({request.jobs().data(), static_cast<size_t>(request.jobs_size())},
                             request.filter(), request.page_token());
}

}  // namespace switchyard::scheduler
