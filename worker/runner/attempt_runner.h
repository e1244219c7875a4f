// The runner's frame: starts the attempts it is given in rank order under the class limits, runs
// them, and reports what became of them.
//
// Executors run on a thread each; kinds that only wait run without one, inside the call that finds
// their time come. Everything an executor throws becomes a status here. A cancelled or timed-out
// attempt of a serving runner is confirmed at once and its result discarded when it comes; until
// then it keeps its place under the limit, because its thread still uses the device. In a runner of
// its own an attempt is given the time to end: the daemon kills the process when it does not.
//
// Thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "common/sync/mutex.h"
#include "switchyard/worker/v1/runner.pb.h"
#include "worker/executor/executor.h"
#include "worker/executor/timed_task.h"
#include "worker/runner/runner_context.h"
#include "worker/runner/timers.h"
#include "worker/start/start_queue.h"

namespace switchyard::worker {

// Where kinds come from; worker/tasks/registry in the real runner.
struct KindFactories {
  ExecutorFactory executor;
  std::function<std::unique_ptr<TimedTask>(absl::string_view kind)> timed_task;
};

inline constexpr absl::Duration kStuckLimit = absl::Seconds(30);

class AttemptRunner {
 public:
  // `surroundings` and `timers` outlive this. `own`: the process serves one attempt. `stuck` is
  // called, without locks, when an attempt goes on for kStuckLimit after its end was confirmed: it
  // blocks a place for good, and only the end of the process frees it.
  AttemptRunner(const RunnerSurroundings& surroundings, Timers& timers, KindFactories factories,
                bool own, std::function<void()> stuck);
  // Waits for the threads of attempts.
  ~AttemptRunner();

  // Limits, starts, cancels and recalls of a frame, in this order. The frame's messages are moved
  // from.
  void Apply(::switchyard::worker::v1::ToRunner& frame);

  bool HoldsAttempts();
  // Waits until no attempt is held or running.
  void WaitIdle();

 private:
  using Reports = std::vector<::switchyard::worker::v1::AttemptReport>;
  struct Attempt;
  using AttemptPtr = std::shared_ptr<Attempt>;

  void Hold(::switchyard::worker::v1::Assignment& assignment) REQUIRES(mutex_);
  void Cancel(const ::switchyard::worker::v1::CancelAttempt& cancel, Reports* reports)
      REQUIRES(mutex_);
  void Recall(const ::switchyard::worker::v1::AttemptRef& ref, Reports* reports) REQUIRES(mutex_);
  void StartWhatMay(Reports* reports) REQUIRES(mutex_);
  void Start(const AttemptPtr& attempt, Reports* reports) REQUIRES(mutex_);
  bool Expired(const api::Job& job) const;
  void HandBack(Attempt& attempt, Reports* reports) REQUIRES(mutex_);
  void StartTimed(const AttemptPtr& attempt, Reports* reports) REQUIRES(mutex_);
  void StartThread(const AttemptPtr& attempt) REQUIRES(mutex_);
  void ArmStuck(const AttemptPtr& attempt) REQUIRES(mutex_);
  void ArmTimeout(const AttemptPtr& attempt) REQUIRES(mutex_);
  void OnHoldOver(const AttemptKey& key) EXCLUDES(mutex_);
  void OnTimeout(const AttemptKey& key) EXCLUDES(mutex_);
  void Work(const AttemptPtr& attempt) EXCLUDES(mutex_);
  // Reports the end unless one was reported, and says the times.
  void Settle(Attempt& attempt, ::switchyard::worker::v1::Finished finished, Reports* reports)
      REQUIRES(mutex_);
  void SettleResult(Attempt& attempt, absl::StatusOr<api::Job> result, Reports* reports)
      REQUIRES(mutex_);
  // The attempt uses nothing any more.
  void Remove(Attempt& attempt) REQUIRES(mutex_);
  void Send(Reports reports);

  const RunnerSurroundings& surroundings_;
  Timers& timers_;
  const KindFactories factories_;
  const bool own_;
  const std::function<void()> stuck_;
  Mutex mutex_;
  CondVar idle_;
  StartQueue queue_ GUARDED_BY(mutex_);
  absl::flat_hash_map<AttemptKey, AttemptPtr> attempts_ GUARDED_BY(mutex_);
  size_t threads_ GUARDED_BY(mutex_) = 0;
};

}  // namespace switchyard::worker
