#include "scheduler/service/job_counts.h"

namespace switchyard::scheduler {

JobCounter::JobCounter(const Backend& backend, const std::string& tenant)
    : backend_(backend), tenant_(tenant) {
  for (const auto& image : backend.live.Jobs(tenant)) running_.insert(image->id);
}

absl::StatusOr<JobCounts> JobCounter::Count(const JobRange& range) const {
  JobCounts counts;
  const auto states = backend_.store.GetStates(tenant_, range.first, range.count);
  if (!states.ok()) return states.status();
  JobId first_cancelled = 0;
  for (uint32_t i = 0; i < range.count; ++i) {
    const JobId id = range.first + i;
    switch (static_cast<JobState>((*states)[i])) {
      case JobState::kBlocked:
        ++counts.blocked;
        break;
      case JobState::kSucceeded:
        ++counts.succeeded;
        break;
      case JobState::kFailed:
      case JobState::kExpired:
        ++counts.failed;
        if (counts.first_failed == 0) counts.first_failed = id;
        break;
      case JobState::kCancelled:
        ++counts.cancelled;
        if (first_cancelled == 0) first_cancelled = id;
        break;
      case JobState::kUnspecified:
        break;  // Deleted.
      default:
        ++(running_.count(id) != 0 ? counts.running : counts.queued);
    }
  }
  if (counts.first_failed == 0) counts.first_failed = first_cancelled;
  return counts;
}

}  // namespace switchyard::scheduler
