// Commands on many jobs: each is taken as the command on one job would be, under one request id.
#include <utility>

#include "scheduler/engine/pending_drain.h"

namespace switchyard::scheduler {

void PendingDrain::TakeMany(size_t index, const ManyJobs& many,
                            const std::function<std::string(const CommandResult&)>& make_reply) {
  const std::string tenant = pending_[index].tenant;
  std::vector<JobOutcome> outcomes;
  outcomes.reserve(many.jobs.size());
  retried_.clear();
  for (const JobId job : many.jobs) {
    if (many.verb == ManyJobs::kRetry) {
      RetryJob retry{.job = job};
      outcomes.push_back({job, TakeOneMore(retry, tenant)});
    } else {
      DeleteJob removal{.job = job};
      outcomes.push_back({job, TakeOneMore(removal, tenant)});
    }
  }
  if (!retried_.empty()) ReviveDependentsOf(index);
  CommandResult& result = pending_[index].result;
  result = CommandResult();
  result.outcomes = std::move(outcomes);
  if (make_reply) result.reply = make_reply(result);
}

}  // namespace switchyard::scheduler
