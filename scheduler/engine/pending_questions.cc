// Questions about jobs: taken with the commands, answered once the drain has placed what it can.
#include <utility>

#include "scheduler/engine/pending_drain.h"

namespace switchyard::scheduler {

void PendingDrain::TakeQuestion(size_t index, JobId job) {
  Pending& pending = pending_[index];
  pending.remember = false;
  std::shared_ptr<const JobImage> ended;
  pending.result.status = FindJob(job, pending.tenant, ended);
  if (!pending.result.status.ok()) return;
  pending.result.job = job;
  pending.result.image = std::move(ended);
  if (pending.result.image == nullptr) pending.explain = job;
}

void PendingDrain::AnswerQuestions() {
  for (Pending& pending : pending_) {
    if (!pending.result.status.ok()) continue;
    for (const JobId job : pending.waits_for) {
      WaitingNow waiting;
      if (core_.WaitsFor(job, waiting)) pending.result.waiting.push_back(std::move(waiting));
    }
    auto explanation = std::make_shared<Explanation>();
    if (pending.explain_new != nullptr) {
      core_.ExplainNew(pending.tenant, *pending.explain_new, now_, *explanation);
    } else if (pending.explain == 0 || !core_.Explain(pending.explain, now_, *explanation)) {
      continue;
    }
    pending.result.explanation = std::move(explanation);
  }
}

}  // namespace switchyard::scheduler
