#include "scheduler/service/failed_jobs.h"

#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/status/error.h"
#include "scheduler/service/job_pages.h"
#include "scheduler/service/job_reader.h"
#include "scheduler/service/page_token.h"

namespace switchyard::scheduler {
namespace {

constexpr uint32_t kFailed = 1u << v1::Job::FAILED;
// Store pages looked at in one call, each of a bounded number of rows.
constexpr int kMostPages = 4;

absl::StatusOr<std::vector<JobId>> ReadIds(absl::Span<const std::string* const> jobs) {
  if (jobs.size() > static_cast<size_t>(kMostJobsChanged)) {
    return InvalidField(
        "jobs", absl::StrCat("must be at most ", kMostJobsChanged, "; there are ", jobs.size()));
  }
  std::vector<JobId> ids;
  std::set<JobId> seen;
  for (const std::string* text : jobs) {
    const absl::StatusOr<JobId> id = ReadJobId(*text, "jobs");
    if (!id.ok()) return id.status();
    if (seen.insert(*id).second) ids.push_back(*id);
  }
  return ids;
}

}  // namespace

absl::StatusOr<FailedJobsQuery> ReadFailedJobsQuery(absl::Span<const std::string* const> jobs,
                                                    absl::string_view filter,
                                                    absl::string_view page_token) {
  if (jobs.empty() == filter.empty())
    return InvalidField("filter", "give either jobs or a filter; * is every failed job");
  FailedJobsQuery query;
  if (!jobs.empty()) {
    absl::StatusOr<std::vector<JobId>> ids = ReadIds(jobs);
    if (!ids.ok()) return ids.status();
    query.jobs = *std::move(ids);
    return query;
  }
  query.filter_text = std::string(filter);
  const absl::string_view text = absl::StripAsciiWhitespace(filter);
  absl::StatusOr<JobFilter> parsed = ParseJobFilter(text == "*" ? absl::string_view() : text);
  if (!parsed.ok()) return parsed.status();
  if (parsed->states != 0)
    return InvalidField("filter", "must not name a state: only FAILED jobs are meant");
  query.filter = *std::move(parsed);
  query.filter.states = kFailed;
  if (page_token.empty()) return query;
  const absl::StatusOr<std::string> position = ReadPageToken(query.filter_text, page_token);
  if (!position.ok()) return position.status();
  query.before = ParseJobId(*position).value_or(0);
  return query;
}

absl::StatusOr<FoundJobs> FindFailedJobs(const Backend& backend, const std::string& tenant,
                                         const FailedJobsQuery& query) {
  FoundJobs found{.jobs = query.jobs, .next_before = query.before};
  if (!query.jobs.empty() || query.filter.nothing) return FoundJobs{.jobs = query.jobs};
  for (int page = 0; page < kMostPages; ++page) {
    JobQuery stored{.tenant = tenant};
    stored.before = found.next_before;
    stored.max_rows = kMostJobsChanged - static_cast<int>(found.jobs.size());
    const absl::StatusOr<JobPage> rows = ListStored(backend, std::move(stored), query.filter);
    if (!rows.ok()) return rows.status();
    for (const JobRow& row : rows->rows) {
      const absl::StatusOr<v1::Job> job = MakePresentJob(backend, row);
      if (!job.ok()) return job.status();
      if (query.filter.Matches(*job)) found.jobs.push_back(row.id);
    }
    found.next_before = rows->next_before;
    if (found.next_before == 0 || found.jobs.size() == static_cast<size_t>(kMostJobsChanged)) break;
  }
  return found;
}

}  // namespace switchyard::scheduler
