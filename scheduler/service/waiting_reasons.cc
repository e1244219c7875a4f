#include "scheduler/service/waiting_reasons.h"

#include <algorithm>

#include "scheduler/service/commands.h"

namespace switchyard::scheduler {

WaitingReasons::WaitingReasons(std::vector<WaitingNow> waiting) : waiting_(std::move(waiting)) {
  std::sort(waiting_.begin(), waiting_.end(),
            [](const WaitingNow& a, const WaitingNow& b) { return a.job < b.job; });
}

void WaitingReasons::Write(v1::Job& job) const {
  const std::optional<JobId> id = ParseJobId(job.id());
  if (job.state() != v1::Job::QUEUED || !id) return;
  const auto found =
      std::lower_bound(waiting_.begin(), waiting_.end(), *id,
                       [](const WaitingNow& waiting, JobId other) { return waiting.job < other; });
  if (found == waiting_.end() || found->job != *id) return;
  job.set_reason(static_cast<v1::Job::Reason>(found->reason));
  job.set_message(found->message);
}

void AskWhatTheyWaitFor(const Backend& backend, std::vector<JobId> jobs,
                        std::function<void(WaitingReasons)> done) {
  if (jobs.empty()) return done(WaitingReasons());
  Input input;
  const size_t bytes = jobs.size() * sizeof(WaitingNow);
  input.waits_for = std::move(jobs);
  PostCommand(backend, std::move(input), bytes, [done = std::move(done)](CommandResult result) {
    done(WaitingReasons(std::move(result.waiting)));
  });
}

}  // namespace switchyard::scheduler
