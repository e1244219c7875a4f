// The engine: turns what callers and workers say into committed state and then into effects, many
// at a time.
//
// Why: one commit for everything that waits (group commit) makes throughput grow with load, while a
// lone call pays one commit; and a single owner of the core needs no locks. A drain takes what is
// in the inbox (bounded), reads the clocks once, looks request ids up, applies the events to the
// core, commits every changed row as ONE transaction, and only then answers callers, sends to
// workers and publishes. When the commit fails, or may have happened, nothing of the drain is
// performed: callers get UNAVAILABLE, worker sessions are closed, the core is thrown away and built
// again from the store under a higher epoch.
//
// Where several schedulers share a store it looks whether it leads before it performs anything, and
// after it took the messages it answers: a heartbeat acknowledged by a leader that was frozen
// meanwhile is older than its lease's end, so it holds no attempt longer than the next leader waits.
//
// Engine is a stepping object: no thread, no waiting but for the store. EngineThread
// (engine_thread.h) runs it for real; tests and the simulation call Drain themselves.
//
// Thread-safety: one thread at a time, except live_view() and stats(), which any thread may read.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/clock/clock.h"
#include "scheduler/core/core.h"
#include "scheduler/engine/leadership.h"
#include "scheduler/engine/live_view.h"
#include "scheduler/store/job_store.h"

namespace switchyard::scheduler {

// The collection of documents that say which job has the result for a reuse key (JobLinks): its id
// by the key in hex.
inline constexpr char kReuseCollection[] = "reuse";

// --- In ---

// What makes the repeat of a mutating call safe. `request_id` empty: the caller gave none.
struct RequestIdentity {
  std::string method;  // Short name: `CreateJob`.
  std::string request_id;
  std::string body_sha256;  // 32 bytes, of the deterministic bytes without request_id.
  int64_t keep_us = 24LL * 3600 * 1000000;  // Ids made by a gateway: 10 minutes.
};

// A command on many jobs of the caller: as one on each of them, all in one drain and under one
// request id.
struct ManyJobs {
  enum Verb { kRetry, kDelete };
  Verb verb = kRetry;
  std::vector<JobId> jobs;  // Each once.
};

// What it did to one of them.
struct JobOutcome {
  JobId job = 0;
  absl::Status status;  // As the command on one job is refused.
};

// The answer to a command.
struct CommandResult {
  // UNAVAILABLE (reason COMMIT_UNKNOWN): not committed, or unknown whether; repeat with the same
  // request_id. ALREADY_EXISTS (reason REQUEST_ID_REUSED): the request_id was used with another
  // body. Else as the core refused it.
  absl::Status status;
  JobId job = 0;           // First job of a submit (0 with validate_only); else the job named.
  uint32_t job_count = 0;  // Jobs concerned: job .. job + job_count - 1.
  bool repeated = false;   // The call was made before; this is what it did then.
  // The job as committed, for commands on one job (a submit of one included). Null for others,
  // after a deletion, and for validate_only.
  std::shared_ptr<const JobImage> image;
  // Questions, and submits of one job with validate_only: what was asked for.
  std::shared_ptr<const Explanation> explanation;
  // What was asked by Input::waits_for: of those that are QUEUED.
  std::vector<WaitingNow> waiting;
  // Commands on many jobs: in the order asked. Empty for a repeat, which has `reply`.
  std::vector<JobOutcome> outcomes;
  // What Input::make_reply made, the first time.
  std::string reply;
};

// What a drain knows at the moment a command is taken: what is stored and, before that, what the
// drain itself is going to store.
class DrainView {
 public:
  virtual ~DrainView() = default;
  virtual absl::StatusOr<std::optional<DocumentRow>> FindDocument(const DocumentKey& key) = 0;
  virtual bool IsLive(JobId job) const = 0;
};

// One thing for the engine to take: a command with a caller waiting, or a message of a worker.
struct Input {
  // The `tag` and `ended` of commands are set by the engine. Unset when `artifact` or
  // `released_artifact` is set.
  Event event;
  // Instead of an event: record this reference of `tenant`.
  std::optional<ArtifactReferenceRow> artifact;
  // Instead of an event: remove the reference of `tenant` to this hash.
  std::optional<std::string> released_artifact;
  // Instead of an event: a command on many jobs.
  std::optional<ManyJobs> many;
  // Instead of an event: why does this job wait? Answered after the drain's placement, in
  // CommandResult::explanation, or `image` when the job has ended. NOT_FOUND.
  std::optional<JobId> explain;
  // Instead of an event: what do these jobs wait for? Answered after the drain's placement, in
  // CommandResult::waiting. The asker has made sure that they are the caller's.
  std::vector<JobId> waits_for;
  // For a command whose answer cannot be made again from its jobs: makes its bytes from the result.
  // They are stored with the request id, so that a repeat is told the same. On the engine's thread.
  std::function<std::string(const CommandResult&)> make_reply;
  // SubmitJobs: the spec bytes of each job, in order (JobRow::spec); one alone: of all of them.
  std::vector<std::string> specs;
  // Commands: who calls. A job of another tenant is NOT_FOUND.
  std::string tenant;
  RequestIdentity request;
  // Commands: called exactly once, on the engine's thread, after the commit; must not block. Null
  // for messages of workers.
  std::function<void(CommandResult)> done;
  // Commands that concern many things are one Input, taken in one drain. In this order:
  //
  // Called on the engine's thread before the event is taken: completes the input from what is
  // stored and lives at that moment, or refuses it. Must not block but for reads by `view`.
  std::function<absl::Status(DrainView& view, Input& input)> prepare;
  // Further commands on jobs, after `event`. One whose job is gone or is in another state is passed
  // over; any other refusal is the result, and what was taken before it stays taken.
  std::vector<Event> more;
  // Called when all was taken: adds what is to be stored in the same transaction.
  std::function<void(const CommandResult& result, std::vector<DocumentWrite>& documents)> documents;
};

// Resolves what jobs run with when all they depend on has succeeded.
class InputResolver {
 public:
  virtual ~InputResolver() = default;
  // The answer to Effects::ready, failures that would come back included. An error: try again
  // later. Called on the engine's thread; blocks on reads of the store.
  virtual absl::StatusOr<InputsResolved> Resolve(JobId job) = 0;
};

// --- Out ---

// Work for a worker: what the core decided and what it takes to do it.
struct Assignment {
  AssignAttempt attempt;
  std::string
      job;  // Serialized v1.Job: id, tenant, priority, device, labels, timeout and the kind's spec.
  std::shared_ptr<const std::string>
      model;  // Serialized v1.ModelVersion a predict needs; null: none.
  std::shared_ptr<const std::string> initial_model;  // The same for a training's from_model.
};

// Everything a drain says to one worker session, in the order of the members.
struct SessionOutput {
  uint64_t session = 0;
  std::optional<WelcomeWorker> welcome;
  std::optional<std::vector<DeviceLimit>> limits;  // Whole list.
  std::vector<ServingBudget> serving_budgets;      // Changed ones.
  std::vector<Assignment> assignments;
  std::vector<CancelAttempt> cancels;
  std::vector<AttemptRef> recalls;
  std::vector<AttemptRef> acknowledgements;
  uint64_t heartbeat_acknowledged = 0;  // 0: none.
  bool close = false;                   // End the stream after this.
};

// A committed change of a job. All pointers are valid during the call only.
struct JobNotice {
  Change::Kind kind = Change::kUpdated;
  JobId id = 0;
  absl::string_view tenant;
  uint16_t job_kind = 0;
  JobState state = JobState::kUnspecified;
  uint32_t change_count = 0;
  // Exactly one of these is set, unless the job was deleted: the row as stored (row_codec.h reads
  // `record`), or the image of a change that is published only.
  const JobUpdate* row = nullptr;
  const JobImage* image = nullptr;
};

// The outgoing port: the service implements it over gRPC, the simulation over its fake network.
// Called on the engine's thread, after the commit; must not block nor call the engine.
class EngineOutput {
 public:
  virtual ~EngineOutput() = default;
  // Messages for a session; one that is gone is ignored (its worker's next Attach repairs).
  virtual void Send(uint64_t epoch, SessionOutput output) = 0;
  // Changes of this drain, in order. After the live view is updated, before replies.
  virtual void Publish(absl::Span<const JobNotice> notices) = 0;
  // The core was built (again). Whatever was published before may miss changes: watchers read their
  // jobs again. Every worker session from before is closed by Send.
  virtual void Rebuilt(uint64_t epoch) = 0;
};

// --- The engine ---

struct EngineOptions {
  // Template for each core: `epoch`, `last_job_id` and `limits` are filled in from the store.
  CoreConfig core;
  int max_drain_events = 4096;                            // Each job of a batch counts as one.
  absl::Duration max_drain_time = absl::Milliseconds(5);  // Of applying; the commit comes on top.
  // Borrowed; null: jobs run with what they were submitted with.
  InputResolver* resolver = nullptr;
  // Borrowed. While it does not lead, the engine has no core and refuses everything.
  const Leadership* leadership = &AloneLeads();
  size_t spec_cache_bytes = 64 << 20;
  absl::Duration rebuild_backoff = absl::Milliseconds(200);  // Between attempts to build the core.
  absl::Duration snapshot_interval =
      absl::Milliseconds(100);       // Age at which the fleet snapshot is renewed.
  bool log = true;                   // Off in simulations, which fail drains by the thousand.
  // Planted bugs for tests of the simulation; off in the product.
  bool reply_before_commit = false;
  bool acts_after_its_lease = false;  // Does not look whether it leads before it performs effects.
};

// Figures since the start; each is a count that only grows.
struct EngineStats {
  std::atomic<uint64_t> drains{0};
  std::atomic<uint64_t> events{0};
  std::atomic<uint64_t> commits{0};
  std::atomic<uint64_t> rows{0};
  std::atomic<uint64_t> commit_us{0};  // Sum over commits.
  std::atomic<uint64_t> failed_commits{0};
  std::atomic<uint64_t> rebuilds{0};
  std::atomic<uint64_t> specs_read{0};  // Not found in the cache at dispatch.
};

class Engine {
 public:
  // All are borrowed and outlive the engine.
  Engine(EngineOptions options, JobStore& store, Clock& clock, EngineOutput& output);
  ~Engine();

  // Builds the core from the store under a higher epoch. On an error the engine has no core; Drain
  // tries again.
  absl::Status Start();

  // Takes inputs from the front of `inbox` (bounded by the options; call again while it is not
  // empty), and what is due by the clock. Every command taken is answered before it returns.
  void Drain(std::deque<Input>& inbox);

  // How long from now Drain may wait when no input comes; absl::InfiniteDuration(): for ever.
  absl::Duration TimeToWakeup();

  // For reads that must not wait for the engine. Any thread.
  const LiveView& live_view() const;
  const EngineStats& stats() const;

  // Null without a core. For tests and the simulation's checkers.
  const Core* core() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace switchyard::scheduler
