// The scheduling core: a deterministic state machine from events to effects. It decides which
// attempt of which job runs where and when, and nothing else: no clock, thread, lock, log, I/O or
// protobuf inside. The same events with the same times give the same effects.
//
// Why: everything hard about scheduling is here, where a simulation can drive it by seed.
//
// Use, by the engine, for each drain:
//   for each event: core.Apply(event, now, effects);
//   core.Advance(now, effects);                      // what is due, then placement
//   core.TakeChanges(visitor);                       // one row write for each change with `store`
//   ... commit; then perform the effects and publish the changes.
// After a failed or unknown commit the core is destroyed and a new one restored from the store
// under a higher epoch.
//
// Not thread-safe: one thread owns it.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/functional/function_ref.h"
#include "scheduler/core/config.h"
#include "scheduler/core/effects.h"
#include "scheduler/core/event.h"
#include "scheduler/core/explain.h"
#include "scheduler/core/fleet.h"
#include "scheduler/core/image.h"
#include "scheduler/core/policy_state.h"
#include "scheduler/core/types.h"

namespace switchyard::scheduler {

// What happened to a job since the last TakeChanges.
struct Change {
  enum Kind { kInserted, kUpdated, kDeleted };
  Kind kind = kUpdated;
  // True: the row must be written (inserted, dispatched, ended, cancelling, checkpoint, ...).
  // False: only published (started, progress).
  bool store = false;
  // The job as it is now. Valid during the visit only. Of a deleted job only `id` and `tenant` are
  // set.
  const JobImage* image = nullptr;
};

// When Advance must be called next, at the latest, though no event comes. kNever: no need.
struct Wakeup {
  int64_t wall_us = kNever;
  int64_t boot_us = kNever;
};

class Core {
 public:
  explicit Core(CoreConfig config);
  ~Core();
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  // What policies learned before, as PolicyState gave it. Before any Restore.
  void RestorePolicyState(const PolicyState& state, const Now& now);
  // What they know now, to be kept over restarts: losing the newest seconds of it is no harm.
  PolicyState SavePolicyState() const;

  // Takes back a stored job that has not ended. Before the first Apply, in any order. A recorded
  // attempt gets one full lease from `now`; its worker's Attach decides earlier. REQUIRES: not
  // HasEnded(image.state).
  void Restore(const JobImage& image, const Now& now);

  // Takes one event. Effects are appended.
  void Apply(const Event& event, const Now& now, Effects& effects);

  // Once at the end of a drain: expires, wakes and ages what is due, then places jobs until nothing
  // better fits.
  void Advance(const Now& now, Effects& effects);

  // Each changed job once, in order of first change; jobs that ended are forgotten after their
  // visit.
  void TakeChanges(absl::FunctionRef<void(const Change&)> visit);

  // Whether commands on this job need no stored image: it lives, or ended since the last
  // TakeChanges.
  bool IsLive(JobId job) const;
  // Why a live job waits, with the numbers; false when it is not live. Looks at a bounded part of
  // queue and fleet (explain.h). After Advance and before TakeChanges, so that what can be placed
  // is.
  bool Explain(JobId job, const Now& now, Explanation& explanation);
  // The same for a job that would be submitted now.
  void ExplainNew(const std::string& tenant, const NewJob& job, const Now& now,
                  Explanation& explanation);
  // What a job waits for now; false when it is not QUEUED. Costs a few comparisons. After Advance,
  // as Explain.
  bool WaitsFor(JobId job, WaitingNow& waiting) const;
  // The live job as it is now; false when it is not live. For reads on the engine's thread and for
  // tests.
  bool Image(JobId job, JobImage& image) const;

  Wakeup NextWakeup() const;

  std::vector<LimitRule> limits() const;
  std::vector<Cordon> cordons() const;  // Ordered by worker.
  std::vector<LedgerUser> ledger_users() const;
  const LiveSettings& live_settings() const;
  AccountsView ViewAccounts() const;      // Ordered by name, by tenant and id.
  std::vector<WorkerView> Fleet() const;  // Ordered by worker id.
  QueueView Queue() const;
  JobId last_job_id() const;
  uint64_t epoch() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace switchyard::scheduler
