// The daemon's heart: which attempts this worker holds, what becomes of them, and what the
// scheduler is told. A state machine between two ports: the scheduler's messages on one side
// (AttachClient), runners on the other. The life of an attempt is drawn in worker/README.md.
//
// Why one class: recall, cancel, crash, lease expiry and reconnect meet on the same attempt, and
// the answer has to be one.
//
// Thread-safe: every call takes one lock and none blocks. `wake` is called when there is something
// to send.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/clock/clock.h"
#include "common/kind/kind.h"
#include "common/sync/mutex.h"
#include "switchyard/worker/v1/worker_service.pb.h"
#include "worker/agent/event_log.h"
#include "worker/agent/lease_keeper.h"
#include "worker/agent/outgoing.h"
#include "worker/agent/segment_store.h"
#include "worker/start/attempt_key.h"
#include "worker/start/start_queue.h"
#include "worker/supervise/runners.h"

namespace switchyard::worker {

struct AgentOptions {
  std::string worker;
  std::string incarnation;
  std::string host;
  std::string version;
  ::switchyard::v1::Device device;
  // An attempt in a runner of its own that was cancelled is killed after this.
  absl::Duration cancel_grace = absl::Milliseconds(800);
  // One that was asked to keep a checkpoint first.
  absl::Duration stop_grace = absl::Seconds(60);
  // A runner that has reported its attempt's end and does not go.
  absl::Duration exit_grace = absl::Seconds(2);
  // Events are stored so long after the first that is not, or at kSegmentBytes.
  absl::Duration segment_interval = absl::Seconds(5);
  // Progress is told the scheduler at most so often.
  absl::Duration progress_interval = absl::Seconds(1);
  // Runners are asked for a sign of life this often, and killed when none came for `health_limit`.
  absl::Duration health_interval = absl::Seconds(5);
  absl::Duration health_limit = absl::Seconds(30);
};

// Counts for metrics and readiness.
struct AgentFigures {
  bool attached = false;
  bool ready = false;  // The serving runner answers.
  bool draining = false;
  uint64_t held = 0;     // Not started.
  uint64_t running = 0;  // Ending ones included.
  uint64_t unacknowledged = 0;
  uint64_t runners_lost = 0;  // Since the start.
  // Since the start, by Attempt.Outcome.
  std::array<uint64_t, ::switchyard::v1::Attempt::Outcome_ARRAYSIZE> ended_by_outcome = {};
};

class Agent final : public RunnerEvents {
 public:
  // All outlive this.
  Agent(AgentOptions options, Runners& runners, SegmentStore& segments, Clock& clock,
        std::function<void()> wake);

  // Starts the serving runner. To be called once, after `runners` knows where to send its events.
  void Begin();

  // --- Towards the scheduler. One stream at a time: BuildHello, OnWelcome, then OnDelta and
  // TakeDelta, then OnDetached.

  // The whole state, to be sent at once.
  ::switchyard::worker::v1::Hello BuildHello();
  void OnWelcome(const ::switchyard::worker::v1::Welcome& welcome);
  // The message is moved from.
  void OnDelta(::switchyard::worker::v1::SchedulerDelta& delta);
  void OnDetached();
  // FAILED_PRECONDITION when a message of this epoch comes from a scheduler that leads no more.
  absl::Status CheckEpoch(uint64_t epoch);
  // What is to be sent now, heartbeat included when it is due. False: nothing.
  bool TakeDelta(::switchyard::worker::v1::WorkerDelta* delta);
  // Time until the next heartbeat.
  absl::Duration UntilHeartbeat();
  absl::Duration heartbeat_interval();

  // --- Towards the runners.

  void OnFrame(RunnerId runner, ::switchyard::worker::v1::FromRunner& frame) override;
  void OnExit(RunnerId runner, const RunnerExit& exit) override;

  // --- Time.

  // Kills what did not obey, ends attempts whose lease expired, checks runners' health. To be
  // called when the returned time has passed, and whenever something was cancelled; more often does
  // no harm.
  absl::Duration Tick();

  // The host's figures, as often as they are measured; told when they changed.
  void SetHostFigures(const ::switchyard::v1::HostFigures& figures);

  // --- The end.

  // Gives back what has not started, asks trainings to keep a checkpoint and hands them back,
  // starts nothing new.
  void BeginDrain();
  // Hands back what came during the drain; runners are not started again.
  void EndDrain();
  // True while a runner has an attempt.
  bool Working();
  // True while the scheduler has something to acknowledge.
  bool Unacknowledged();

  // True once the serving runner said what it can do: only then there is something to attach.
  bool Ready();

  AgentFigures Figures();

 private:
  // Where an attempt is. Waiting and given ones are `held` for the scheduler.
  enum class Stage {
    kWaiting,   // Here, until its class has a place; kinds with a runner of their own only.
    kGiven,     // In a runner, not known to have started.
    kRunning,   // In a runner, started.
    kEnding,    // Its end is known; its own runner is still there.
    kStoring,   // Its events are being stored.
    kReported,  // Its end was reported; kept until acknowledged.
  };
  struct Attempt {
    ::switchyard::worker::v1::Assignment assignment;  // Without `job` once it runs.
    const KindTraits* kind = nullptr;
    Stage stage = Stage::kWaiting;
    RunnerId runner = 0;
    bool forgotten = false;  // The scheduler or the lease is done with it: no report.
    bool cancel_asked = false;
    bool returns = false;  // Preempted, or stopped because the worker drains: handed back.
    bool storing = false;  // Segments are on their way to the store.
    bool progress_waits = false;
    absl::Duration kill_at = absl::InfiniteDuration();
    absl::Duration give_back_at = absl::InfiniteDuration();  // Preempted in the serving runner.
    absl::Duration store_at = absl::InfiniteDuration();      // Events wait to be stored.
    absl::Duration progress_at;                              // Not told again before.
    std::unique_ptr<::switchyard::worker::v1::Started> started;
    std::unique_ptr<::switchyard::worker::v1::AttemptReport> end;  // Set from kEnding on.
    std::unique_ptr<::switchyard::worker::v1::AttemptReport> checkpoint;
    std::unique_ptr<EventLog> log;
  };
  struct RunnerState {
    AttemptKey own;  // Its attempt; job 0 for the serving runner.
    absl::Duration sign_of_life;
    int64_t memory_used_bytes = 0;
  };

  bool Own(const Attempt& attempt) const {
    return attempt.kind != nullptr && attempt.kind->own_runner;
  }
  Attempt* Find(const AttemptKey& key) REQUIRES(mutex_);

  // agent.cc
  void Assign(::switchyard::worker::v1::Assignment& assignment,
              ::switchyard::worker::v1::ToRunner* serving) REQUIRES(mutex_);
  void Recall(const ::switchyard::worker::v1::AttemptRef& ref,
              ::switchyard::worker::v1::ToRunner* serving) REQUIRES(mutex_);
  void Cancel(const AttemptKey& key, bool checkpoint_first,
              ::switchyard::worker::v1::ToRunner* serving) REQUIRES(mutex_);
  // More urgent work needs the device within `grace`.
  void Preempt(const AttemptKey& key, absl::Duration grace,
               ::switchyard::worker::v1::ToRunner* serving) REQUIRES(mutex_);
  void SetBudgets(
      const google::protobuf::RepeatedPtrField<::switchyard::worker::v1::ServingBudget>& budgets,
      ::switchyard::worker::v1::ToRunner* serving) REQUIRES(mutex_);
  void SetLimits(
      const google::protobuf::RepeatedPtrField<::switchyard::worker::v1::DeviceLimit>& limits,
      ::switchyard::worker::v1::ToRunner* serving) REQUIRES(mutex_);
  void Forget(const AttemptKey& key, ::switchyard::worker::v1::ToRunner* serving) REQUIRES(mutex_);
  void SendServing(const ::switchyard::worker::v1::ToRunner& frame) REQUIRES(mutex_);
  void RenewRunners() REQUIRES(mutex_);
  void Resend(const Attempt& attempt) REQUIRES(mutex_);
  ::switchyard::worker::v1::AttemptReport StateOf(const Attempt& attempt) const;

  // agent_runners.cc
  void StartServing() REQUIRES(mutex_);
  void StartOwnWhatMay() REQUIRES(mutex_);
  ::switchyard::worker::v1::ToRunner FirstFrame() REQUIRES(mutex_);
  void OnHello(RunnerId runner, const ::switchyard::worker::v1::RunnerHello& hello)
      REQUIRES(mutex_);
  void OnEvents(::switchyard::worker::v1::AttemptEvents& events) REQUIRES(mutex_);
  void OnReport(::switchyard::worker::v1::AttemptReport& report) REQUIRES(mutex_);
  void OnServingState(::switchyard::worker::v1::ServingState state) REQUIRES(mutex_);
  // The end of an attempt that may still have its own runner.
  void End(const AttemptKey& key, Attempt& attempt,
           std::unique_ptr<::switchyard::worker::v1::AttemptReport> end) REQUIRES(mutex_);
  void OnFinished(const AttemptKey& key, Attempt& attempt,
                  ::switchyard::worker::v1::AttemptReport& report) REQUIRES(mutex_);
  void OnServingExit(RunnerId runner, const RunnerExit& exit) REQUIRES(mutex_);
  void OnOwnExit(const AttemptKey& key, const RunnerExit& exit) REQUIRES(mutex_);
  // Its end is known and nothing of it runs: stores the events, then reports.
  void Conclude(const AttemptKey& key, std::unique_ptr<::switchyard::worker::v1::AttemptReport> end)
      REQUIRES(mutex_);
  void ReportEnd(Attempt& attempt) REQUIRES(mutex_);
  std::unique_ptr<::switchyard::worker::v1::AttemptReport> LostReport(const Attempt& attempt,
                                                                      const RunnerExit& exit);
  std::unique_ptr<::switchyard::worker::v1::AttemptReport> CancelledReport(const Attempt& attempt);
  std::unique_ptr<::switchyard::worker::v1::AttemptReport> ReturnedReport(const Attempt& attempt);
  std::unique_ptr<::switchyard::worker::v1::AttemptReport> OutOfMemoryReport(
      const Attempt& attempt, const RunnerExit& exit);
  // Why an attempt ended that had started in a runner that is gone.
  std::unique_ptr<::switchyard::worker::v1::AttemptReport> GoneReport(const Attempt& attempt,
                                                                      const RunnerExit& exit);
  void ExpireLeases() REQUIRES(mutex_);
  void CheckHealth(absl::Duration now) REQUIRES(mutex_);

  // agent_events.cc
  void TellProgress(Attempt& attempt) REQUIRES(mutex_);
  void StoreSegments(const AttemptKey& key, Attempt& attempt) REQUIRES(mutex_);
  void OnSegmentsStored(const AttemptKey& key, absl::StatusOr<SegmentStore::Artifacts> artifacts)
      EXCLUDES(mutex_);
  ::switchyard::worker::v1::AttemptReport SegmentsOf(const Attempt& attempt) const;
  // What time does to one attempt; when to look again.
  absl::Duration TickAttempt(const AttemptKey& key, Attempt& attempt, absl::Duration now,
                             ::switchyard::worker::v1::ToRunner* serving) REQUIRES(mutex_);

  template <typename Message>
  void Tell(Message message) REQUIRES(mutex_);

  const AgentOptions options_;
  Runners& runners_;
  SegmentStore& segments_;
  Clock& clock_;
  const std::function<void()> wake_;

  Mutex mutex_;
  absl::flat_hash_map<AttemptKey, Attempt> attempts_ GUARDED_BY(mutex_);
  absl::flat_hash_map<RunnerId, RunnerState> runner_states_ GUARDED_BY(mutex_);
  StartQueue queue_ GUARDED_BY(mutex_);  // Attempts that get a runner of their own.
  google::protobuf::RepeatedPtrField<::switchyard::worker::v1::DeviceLimit> limits_
      GUARDED_BY(mutex_);
  LeaseKeeper lease_ GUARDED_BY(mutex_);
  Outgoing outgoing_ GUARDED_BY(mutex_);
  ::switchyard::v1::Device device_ GUARDED_BY(mutex_);
  bool device_changed_ GUARDED_BY(mutex_) = false;
  ::switchyard::v1::HostFigures host_ GUARDED_BY(mutex_);
  bool host_changed_ GUARDED_BY(mutex_) = false;
  ::switchyard::worker::v1::ServingBudget budget_ GUARDED_BY(mutex_);  // Sequence 0: none yet.
  uint64_t budget_number_ GUARDED_BY(mutex_) = 0;
  ::switchyard::worker::v1::ServingState serving_state_ GUARDED_BY(mutex_);
  bool serving_changed_ GUARDED_BY(mutex_) = false;
  std::vector<std::string> kinds_ GUARDED_BY(mutex_);  // As the runner told.
  bool ready_ GUARDED_BY(mutex_) = false;
  bool attached_ GUARDED_BY(mutex_) = false;
  bool tell_draining_ GUARDED_BY(mutex_) = false;
  bool draining_ GUARDED_BY(mutex_) = false;
  bool ending_ GUARDED_BY(mutex_) = false;
  uint64_t epoch_seen_ GUARDED_BY(mutex_) = 0;
  absl::Duration heartbeat_interval_ GUARDED_BY(mutex_) = absl::Seconds(5);
  absl::Duration next_heartbeat_ GUARDED_BY(mutex_);
  absl::Duration next_health_ GUARDED_BY(mutex_);
  RunnerId serving_ GUARDED_BY(mutex_) = 0;
  absl::Duration serving_started_ GUARDED_BY(mutex_);
  absl::Duration serving_delay_ GUARDED_BY(mutex_);
  AgentFigures figures_ GUARDED_BY(mutex_);
};

}  // namespace switchyard::worker
