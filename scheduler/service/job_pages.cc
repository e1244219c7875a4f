#include "scheduler/service/job_pages.h"

#include <algorithm>

#include "scheduler/service/array_service.h"
#include "scheduler/service/pipelines.h"

namespace switchyard::scheduler {
namespace {

JobId EndOf(const JobRange& range) { return range.first + range.count; }

absl::StatusOr<std::vector<JobRange>> RangesOfPipeline(const Backend& backend,
                                                       const std::string& tenant,
                                                       const std::string& id) {
  const auto record = FindPipeline(backend, tenant, id);
  if (!record.ok()) return record.status();
  std::vector<JobRange> steps;
  for (const storage::v1::StepJobs& step : record->steps()) {
    if (step.count() > 0) steps.push_back({step.first_job(), step.count()});
  }
  std::sort(steps.begin(), steps.end(),
            [](const JobRange& a, const JobRange& b) { return a.first < b.first; });
  // Steps submitted together follow each other.
  std::vector<JobRange> ranges;
  for (const JobRange& step : steps) {
    if (!ranges.empty() && EndOf(ranges.back()) == step.first) {
      ranges.back().count += step.count;
    } else {
      ranges.push_back(step);
    }
  }
  return ranges;
}

// What of `ranges` is in `other` too.
std::vector<JobRange> Common(const std::vector<JobRange>& ranges, const JobRange& other) {
  std::vector<JobRange> common;
  for (const JobRange& range : ranges) {
    const JobId first = std::max(range.first, other.first);
    const JobId end = std::min(EndOf(range), EndOf(other));
    if (first < end) common.push_back({first, static_cast<uint32_t>(end - first)});
  }
  return common;
}

}  // namespace

absl::StatusOr<std::optional<std::vector<JobRange>>> RangesOf(const Backend& backend,
                                                              const std::string& tenant,
                                                              const JobFilter& filter) {
  std::optional<std::vector<JobRange>> ranges;
  if (!filter.pipeline.empty()) {
    absl::StatusOr<std::vector<JobRange>> of = RangesOfPipeline(backend, tenant, filter.pipeline);
    if (!of.ok()) return of.status();
    ranges = *std::move(of);
  }
  if (filter.array != 0) {
    const absl::StatusOr<JobRange> of = JobsOfArray(backend, tenant, filter.array);
    if (!of.ok()) return of.status();
    ranges = ranges.has_value() ? Common(*ranges, *of) : std::vector<JobRange>{*of};
  }
  return ranges;
}

absl::StatusOr<JobPage> ListRanges(const Backend& backend, JobQuery query,
                                   const std::vector<JobRange>& ranges) {
  const JobId before = query.before;
  for (auto range = ranges.rbegin(); range != ranges.rend(); ++range) {
    if (before != 0 && range->first >= before) continue;
    query.from = range->first;
    query.before = before == 0 ? EndOf(*range) : std::min(before, EndOf(*range));
    absl::StatusOr<JobPage> page = backend.store.ListJobs(query);
    const bool more = std::next(range) != ranges.rend();
    // The next page is of the range below.
    if (page.ok() && page->next_before == 0 && more) page->next_before = range->first;
    return page;
  }
  return JobPage();
}

absl::StatusOr<JobPage> ListStored(const Backend& backend, JobQuery query,
                                   const JobFilter& filter) {
  query.kind = filter.kind;
  query.states = filter.states;
  const auto ranges = RangesOf(backend, query.tenant, filter);
  if (!ranges.ok()) return ranges.status();
  return ranges->has_value() ? ListRanges(backend, std::move(query), **ranges)
                             : backend.store.ListJobs(query);
}

}  // namespace switchyard::scheduler
