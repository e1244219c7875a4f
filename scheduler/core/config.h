// What the core is told once, when it is made. The engine fills it from the scheduler's config and
// from common/kind.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "scheduler/core/settings.h"
#include "scheduler/core/types.h"

namespace switchyard::scheduler {

// What the core needs to know of a kind (common/kind's KindTraits without protobuf).
struct KindConfig {
  std::string name;     // As workers name it in their Hello.
  uint16_t number = 0;  // Job.KindCase; what rows store.
  JobClass job_class = JobClass::kInference;
  int64_t default_timeout_us = kNever;
  int64_t assumed_run_time_us = 0;   // 0: unknown, so not assigned ahead until learned.
  bool checkpoints = false;          // A next attempt may begin from the last accepted checkpoint.
  int64_t default_memory_bytes = 0;  // Need on a device before it is learned; 0: unknown.
  bool shrinks_batch = false;        // Out of memory, it may be tried with half the batch.
  bool reports_progress = false;     // Without progress it may be found STUCK.
  bool registers_model = false;      // An accepted success is listed in Effects::registrations.
};

// Deliberate faults, for tests of the simulation only: each must be found by a checker. All off in
// the product.
struct PlantedBugs {
  bool no_fence_check = false;          // Reports of ended attempts take effect.
  bool lost_cancel = false;             // A cancel of a running job is acknowledged and forgotten.
  bool double_dispatch = false;         // A job handed to a worker stays in the queue.
  bool forgotten_lease_expiry = false;  // Attempts of a lost worker are never ended.
  bool limit_off_by_one = false;        // One attempt more than the limit is let onto a device.
  bool lost_retry = false;              // A job whose attempt failed is not queued again.
  bool ignores_priority = false;        // Least urgent first.
  bool early_lease_expiry = false;      // Attempts are ended at half of their lease.
  bool unblocks_too_early = false;      // A job runs when the first it depends on has succeeded.
  bool lost_requeue_on_attach = false;  // An attempt missing from its worker's Attach is not ended.
  bool weights_ignored = false;         // Fair share takes every tenant's weight as one.
  bool no_ageing = false;               // Waiting raises nothing.
  bool quota_leak = false;              // A tenant over its quota goes on.
  bool partial_gang = false;            // A gang is placed with one device missing.
  bool preempts_too_early = false;      // The minimum run time is not looked at.
  bool backfill_ignores_reservation = false;  // Smaller jobs take what is kept for a gang.
  bool grant_forgotten = false;    // Memory granted to an attempt is not kept in the ledger.
  bool freed_too_early = false;    // What models are asked to free is promised before it is freed.
  bool oom_retry_forever = false;  // Out of memory, the same is tried again and again.
};

// When running work is asked to make room for more urgent work (policy/preemption.h).
struct PreemptionConfig {
  bool enabled = true;
  int64_t min_run_us = 60'000'000;  // An attempt is left alone so long.
  int64_t grace_us = 30'000'000;    // From the notice to the hard cancel.
  uint32_t priority_distance = 2;   // By how much the waiting job must be more urgent.
};

// Ports where the ranks of gangs meet, taken in turn.
struct RendezvousConfig {
  uint16_t first_port = 29'500;
  uint16_t ports = 500;
};

struct CoreConfig {
  uint64_t epoch =
      1;  // Leader epoch, committed before the core is made. REQUIRES: larger than any before.
  JobId last_job_id = 0;  // Largest id ever given out, as far as the store knows.
  // Worker sessions below it were opened before the core was made, and are closed when they say
  // hello: what they tell may be older than what a core before this one handed out.
  uint64_t first_session = 0;
  std::vector<KindConfig> kinds;
  std::vector<LimitRule> limits;  // As stored.
  // Tenants and keys with settings of their own; others have TenantSettings() and KeySettings().
  std::vector<TenantSettings> tenants;
  std::vector<KeySettings> keys;
  std::vector<Cordon> cordons;           // As stored.
  std::vector<LedgerUser> ledger_users;  // As stored.
  LiveSettings live;                     // As stored.
  uint64_t queue_capacity = 10'000'000;  // Most jobs that may wait, assigned ones included.
  uint64_t tenant_queue_capacity = 10'000'000;
  int64_t lease_us = 30'000'000;
  int64_t lease_margin_us =
      1'000'000;  // Added on the scheduler's side, for drift between the boot clocks.
  uint32_t max_lost_attempts = 3;       // Lost with runner or worker before FAILED as POISON.
  uint32_t max_failed_attempts = 3;     // Failed in a way that may be retried, in all.
  int64_t backoff_base_us = 1'000'000;  // First wait after a failed attempt; doubles.
  int64_t backoff_max_us = 60'000'000;
  int64_t share_half_life_us = 86'400'000'000;  // Of tenants' charges; 0: they never decay.
  int64_t idle_credit_us = 600'000'000;  // What idling saves up, at most (policy/fair_share.h).
  // Most device time of priorities 1 and 2 in a window while others wait; 100: no bound.
  uint32_t urgent_share_percent = 50;
  int64_t urgent_window_us = 60'000'000;
  int64_t ageing_interval_us = 300'000'000;  // Waiting raises a job one step each, never above 3.
  // Patience of a job in parts of the time it is thought to take; 0: submission order alone.
  uint32_t patience_percent = 100;
  int64_t ahead_window_us = 50'000;  // Expected work assigned ahead per device and class, at most.
  uint32_t ahead_jobs = 1024;        // Jobs assigned ahead per device and class, at most.
  PreemptionConfig preemption;
  RendezvousConfig rendezvous;
  uint32_t serving_share_percent = 30;      // Of a device, to resident models, while nobody waits.
  int64_t serving_regrow_us = 30'000'000;   // Nobody waited for memory so long: budgets grow again.
  uint32_t max_out_of_memory_attempts = 8;  // Of a job that ran out, before FAILED.
  // A job that needs more than any device known could grant waits so long for a larger one.
  int64_t memory_patience_us = 600'000'000;
  PlantedBugs bugs;
};

}  // namespace switchyard::scheduler
