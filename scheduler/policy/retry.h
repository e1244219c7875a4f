// What follows when an attempt ends without success: another attempt, and when, or the job's end.
// The one place that says what is retried. Pure functions.
//
// Three budgets, counted apart: the job's own failures (max_failed_attempts, with backoff), losses
// of runner or worker (max_lost_attempts, then POISON), and preemptions and returns, which have no
// limit: they never fail a job.
#pragma once

#include <cstdint>

#include "scheduler/core/types.h"

namespace switchyard::scheduler {

struct RetryPolicy {
  uint32_t max_lost_attempts = 3;
  uint32_t max_failed_attempts = 3;
  int64_t backoff_base_us = 1'000'000;
  int64_t backoff_max_us = 60'000'000;
};

// An attempt that ended. The counts include it.
struct EndedAttempt {
  JobId job = 0;
  Outcome outcome = Outcome::kFailed;
  bool started = true;  // Known to have run. Work that was only held cannot have ended its worker.
  bool permanent = false;
  bool out_of_memory = false;
  uint32_t lost = 0;  // Started attempts lost with runner or worker.
  uint32_t lost_unstarted = 0;
  uint32_t failed = 0;  // Failed ones that may be retried.
};

struct RetryDecision {
  bool retry = false;
  int64_t wait_us = 0;            // With `retry`; 0: at once, in its old place.
  Reason reason = Reason::kNone;  // With: why it is QUEUED again. Without: why the job FAILED.
};

// REQUIRES: the outcome is not SUCCEEDED.
RetryDecision DecideRetry(const EndedAttempt& attempt, const RetryPolicy& policy);

// Wait before the attempt after the n-th failure, n from 1: doubles up to the maximum, plus up to a
// tenth that differs by job, so that jobs that failed together do not come back together.
int64_t Backoff(uint32_t failures, JobId job, const RetryPolicy& policy);

}  // namespace switchyard::scheduler
