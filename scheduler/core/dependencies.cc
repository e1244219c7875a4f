#include "scheduler/core/dependencies.h"

#include <algorithm>
#include <utility>

namespace switchyard::scheduler {

bool Dependencies::Wait(Waiter waiter, const JobRange& range,
                        absl::FunctionRef<bool(JobId)> is_live) {
  const auto known = by_range_.find(range);
  if (known != by_range_.end()) {
    groups_[known->second].waiters.push_back(waiter);
    return true;
  }
  std::vector<JobId> live;
  for (JobId job = range.first; job < range.first + range.count; ++job) {
    if (is_live(job)) live.push_back(job);
  }
  if (live.empty()) return false;
  const uint32_t index = groups_.Add();
  groups_[index] = {range, static_cast<uint32_t>(live.size()), {waiter}};
  by_range_[range] = index;
  for (const JobId job : live) groups_of_[job].push_back(index);
  return true;
}

std::vector<Dependencies::Waiter> Dependencies::Ended(JobId job, bool succeeded) {
  std::vector<Waiter> over;
  const auto found = groups_of_.find(job);
  if (found == groups_of_.end()) return over;
  const std::vector<uint32_t> groups = std::move(found->second);
  groups_of_.erase(found);
  for (const uint32_t index : groups) {
    if (succeeded && --groups_[index].open > 0) continue;
    const std::vector<Waiter> waiters = Remove(index);
    over.insert(over.end(), waiters.begin(), waiters.end());
  }
  return over;
}

std::vector<Dependencies::Waiter> Dependencies::Remove(uint32_t index) {
  Group& group = groups_[index];
  if (group.open > 0) {
    for (JobId job = group.range.first; job < group.range.first + group.range.count; ++job) {
      Leave(job, index);
    }
  }
  std::vector<Waiter> waiters = std::move(group.waiters);
  by_range_.erase(group.range);
  groups_.Remove(index);
  return waiters;
}

void Dependencies::Leave(JobId job, uint32_t group) {
  const auto found = groups_of_.find(job);
  if (found == groups_of_.end()) return;
  std::vector<uint32_t>& groups = found->second;
  groups.erase(std::remove(groups.begin(), groups.end(), group), groups.end());
  if (groups.empty()) groups_of_.erase(found);
}

void AppendTo(std::vector<JobRange>& ranges, JobId job) {
  if (!ranges.empty() && ranges.back().first + ranges.back().count == job) {
    ++ranges.back().count;
  } else {
    ranges.push_back({job, 1});
  }
}

}  // namespace switchyard::scheduler
