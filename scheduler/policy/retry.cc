#include "scheduler/policy/retry.h"

#include <algorithm>

namespace switchyard::scheduler {
namespace {

// Losses of attempts never seen to start say little about the job, yet must not go on for ever.
constexpr uint32_t kUnstartedPerLost = 16;

RetryDecision Fail(Reason reason) { return {.retry = false, .wait_us = 0, .reason = reason}; }
RetryDecision RetryIn(int64_t wait_us) { return {.retry = true, .wait_us = wait_us}; }

RetryDecision AfterLoss(const EndedAttempt& attempt, const RetryPolicy& policy) {
  if (attempt.lost >= policy.max_lost_attempts ||
      attempt.lost_unstarted >= policy.max_lost_attempts * kUnstartedPerLost) {
    return Fail(Reason::kPoison);
  }
  // The worker is gone, another takes over at once; a runner that died may die again at once on the
  // same device.
  if (attempt.outcome == Outcome::kWorkerLost) return RetryIn(0);
  return RetryIn(Backoff(attempt.lost, attempt.job, policy));
}

}  // namespace

RetryDecision DecideRetry(const EndedAttempt& attempt, const RetryPolicy& policy) {
  switch (attempt.outcome) {
    case Outcome::kReturned:
      return RetryIn(0);
    case Outcome::kPreempted:
      // However often: it was no fault of the job, nor of a machine.
      return {.retry = true, .wait_us = 0, .reason = Reason::kPreempted};
    case Outcome::kWorkerLost:
    case Outcome::kRunnerLost:
      return AfterLoss(attempt, policy);
    case Outcome::kTimedOut:
      return Fail(Reason::kTimedOut);
    default:
      break;
  }
  if (attempt.out_of_memory) return Fail(Reason::kOutOfMemory);
  if (attempt.permanent || attempt.failed >= policy.max_failed_attempts) {
    return Fail(Reason::kWorkFailed);
  }
  return RetryIn(Backoff(attempt.failed, attempt.job, policy));
}

int64_t Backoff(uint32_t failures, JobId job, const RetryPolicy& policy) {
  const uint32_t doublings = std::min<uint32_t>(failures > 0 ? failures - 1 : 0, 30);
  const int64_t wait = std::min(policy.backoff_base_us << doublings, policy.backoff_max_us);
  const int64_t spread = (job * 0x9E3779B97F4A7C15u >> 48) % 1000;
  return wait + wait / 10 * spread / 1000;
}

}  // namespace switchyard::scheduler
