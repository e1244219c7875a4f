// What the core is told: commands of clients and messages of workers. Plain values made by the
// engine.
//
// A command carries a `tag` chosen by the engine; exactly one Reply with it is among the effects of
// the Apply that takes the command. A command on one job may find it ended: the core keeps only
// live jobs, so the engine passes the stored image in `ended` when Core::IsLive says no (null:
// there is no such job).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "scheduler/core/image.h"
#include "scheduler/core/settings.h"
#include "scheduler/core/types.h"

namespace switchyard::scheduler {

// One job to accept. The service has checked the form: known kind, priority 1 to 9, device
// `auto|cpu|cuda|cuda:N`.
struct NewJob {
  uint16_t kind = 0;
  uint8_t priority = 5;
  std::string device = "auto";
  std::string model_key;
  int64_t not_before_us = 0;
  int64_t expire_us = 0;
  int64_t timeout_us = 0;      // 0: the kind's default.
  int64_t memory_bytes = 0;    // A device; 0: learned, else the kind's default.
  int64_t no_progress_us = 0;  // 0: learned.
  // What work of equal shape shares beside kind and model: `batch=32,image=224`. Run times and
  // memory are learned by it.
  std::string shape;
  std::string key;  // Id of the key it was submitted with; empty: without one.
  ArrayMembership array;
  uint16_t device_count = 1;        // More: a gang, which gets all at the same time or none.
  std::optional<bool> preemptible;  // Unset: when the kind makes checkpoints.
  // Jobs that must succeed first. In the submit itself: `first` is an index into its `jobs`, below
  // this job's own; else ids, of jobs of the same tenant.
  struct Dependency {
    JobRange jobs;
    bool in_submit = false;
  };
  std::vector<Dependency> depends_on;
  std::string wiring;         // As in JobLinks. Counts dependencies by their place in `depends_on`.
  bool reuse = false;         // As in JobLinks.
  uint32_t max_attempts = 0;  // As in JobImage.
};

// All or none. Reply: `job` is the first id, the others follow it without gaps.
// RESOURCE_EXHAUSTED (with a retry delay): the queue or the tenant's share of it is full.
// FAILED_PRECONDITION: a device was named, workers are known, and none has it; names those that
// exist. Or a gang is larger than all attached workers could ever give it; names the numbers.
// exist. Or a job depended on has ended otherwise than SUCCEEDED. NOT_FOUND: there is no such job.
struct SubmitJobs {
  uint64_t tag = 0;
  std::string tenant;
  std::vector<NewJob> jobs;
  bool validate_only = false;  // Check only: the reply has job 0.
  // Stored states of those of the jobs depended on that do not live; missing: there is no such job.
  std::map<JobId, JobState> upstream;
};

// Ends a job; an ended one is left as it is (OK), but for one that ended with a job it depends on:
// it no longer lives again when that one is retried. NOT_FOUND.
struct CancelJob {
  uint64_t tag = 0;
  JobId job = 0;
  bool checkpoint_first = false;  // `:stop`.
  std::shared_ptr<const JobImage> ended;
};

// Next attempt of a FAILED, CANCELLED or EXPIRED job. NOT_FOUND; FAILED_PRECONDITION in other
// states; RESOURCE_EXHAUSTED as in SubmitJobs.
//
// One that waited for others waits again unless all have succeeded; FAILED_PRECONDITION when one of
// them has ended otherwise.
struct RetryJob {
  uint64_t tag = 0;
  JobId job = 0;
  std::shared_ptr<const JobImage> ended;
  std::map<JobId, JobState> upstream;  // As in SubmitJobs; for one that has never run.
};

// After retries, from the engine itself: those who were cancelled because a retried job had failed
// wait again, unless another of the jobs they depend on has ended otherwise than SUCCEEDED.
struct ReviveDependents {
  std::vector<std::shared_ptr<const JobImage>> images;  // By id. Others than such are left alone.
  std::map<JobId, JobState> upstream;                   // As in SubmitJobs, of all of them.
};

// The engine's answer to Effects::ready, from the engine itself: what a job runs with, or why it
// cannot. Of no effect unless the job is BLOCKED and was asked for.
struct InputsResolved {
  JobId job = 0;
  std::string inputs;  // As in JobLinks.
  std::string model_key;
  std::string reuse_key;
  // Set: the job succeeds with what this one has.
  JobId reused_from = 0;
  std::string result;
  std::vector<OutputArtifact> outputs;
  // Not 0: the job fails for good, with this canonical code.
  int32_t error_code = 0;
  std::string error_message;
};

// Changes a live job. NOT_FOUND; FAILED_PRECONDITION when it has ended.
struct UpdateJob {
  uint64_t tag = 0;
  JobId job = 0;
  std::optional<uint8_t> priority;
  std::optional<std::string> labels;  // Opaque, whole.
  std::shared_ptr<const JobImage> ended;
};

// Removes an ended job: listed as Change::kDeleted. NOT_FOUND; FAILED_PRECONDITION while it lives.
struct DeleteJob {
  uint64_t tag = 0;
  JobId job = 0;
  std::shared_ptr<const JobImage> ended;
};

// Merges `set` by (worker, device, class) and removes `clear`. The service has checked the entries.
// The engine stores Core::limits() when Effects::limits_changed.
struct UpdateLimits {
  uint64_t tag = 0;
  std::vector<LimitRule> set;
  std::vector<LimitRule> clear;
};

// Cordons a worker (no new work), drains it (cordon, and what still runs at the deadline is put
// back into the queue) or lifts both. The worker need not be attached. The engine stores
// Core::cordons() when Effects::cordons_changed. Reply: OK.
struct CordonWorker {
  uint64_t tag = 0;
  Cordon cordon;  // Whole: replaces an earlier one of the worker.
  bool lift = false;
};

// Changes what a tenant may use, at once. The service has checked the values. The engine stores
// Core::live_settings() when Effects::settings_changed, for these three.
struct SetTenant {
  uint64_t tag = 0;
  TenantPatch patch;
};

// Changes what a key may use, at once. The service knows the key.
struct SetKey {
  uint64_t tag = 0;
  KeyPatch patch;
};

// Lets so many jobs of an array run at once from now on; 0: as many as there are. What runs goes
// on. The service knows the array.
struct SetArrayWidth {
  uint64_t tag = 0;
  JobId array = 0;
  uint32_t width = 0;
};

// Starts no more of these jobs until it is taken back (exactly this tenant and kind). What runs
// goes on; what is assigned and has not started is called back. Both succeed when nothing changes.
struct PauseQueue {
  uint64_t tag = 0;
  PauseRule rule;  // `create_us` is set by the core.
  bool paused = true;
};

// --- Workers. `session` numbers an Attach stream, counting up within a process; messages of any but
// the newest session of a worker have no effect.

// One device as the worker tells it. What the core does not need is kept for the fleet view only.
struct WorkerDevice {
  std::string device;  // `cpu`, `cuda:0`.
  std::string name;
  int64_t memory_total_bytes = 0;
  int64_t memory_used_bytes = 0;
  std::string uuid;
  std::string compute_capability;
  std::string libtorch_version;
  std::string cuda_version;
  uint32_t cores = 0;
  int64_t runner_context_bytes = 0;  // What a runner takes before it allocates anything.
};

// Reports of one attempt, as in worker_service.proto. Times by the worker's wall clock.
struct Held {};
struct Started {
  int64_t time_us = 0;
  std::string device;
  std::string device_name;
  Phase phase = Phase::kUnspecified;
  double progress = 0;
};
struct Finished {
  Outcome outcome = Outcome::kFailed;
  std::string error;          // Opaque: serialized google.rpc.Status.
  std::string error_message;  // Its message, for JobImage::message.
  std::string result;         // Opaque.
  std::vector<OutputArtifact> outputs;
  int64_t start_us = 0;
  int64_t end_us = 0;
  int64_t prepared_us = 0;
  int64_t run_us = 0;
  std::string device;
  std::string device_name;
  bool out_of_memory = false;
  bool permanent = false;
  int64_t memory_peak_bytes = 0;  // 0: not measured.
  uint32_t batch = 0;             // Worked with; 0: the kind has none.
};
struct Returned {};
struct CheckpointStored {
  OutputArtifact artifact;
};
// All segments of the attempt's events so far, in order.
struct EventsStored {
  std::vector<OutputArtifact> artifacts;
};

struct AttemptReport {
  AttemptRef ref;
  std::variant<Held, Started, Finished, Returned, CheckpointStored, EventsStored> report;
};

// First message of a session: the worker's whole state. Ends the worker's earlier session.
struct WorkerAttached {
  uint64_t session = 0;
  std::string worker;
  std::string incarnation;
  std::string host;
  std::string version;
  std::vector<WorkerDevice> devices;
  std::vector<std::string> kinds;
  std::vector<AttemptReport> attempts;
  HostFigures host_figures;
  std::vector<ServingState> serving;
};

// The stream is gone. Leases run on.
struct WorkerDetached {
  uint64_t session = 0;
};

// Renews the lease of the worker and of all it holds.
struct WorkerHeartbeat {
  uint64_t session = 0;
  uint64_t sequence = 0;
};

struct WorkerReports {
  uint64_t session = 0;
  std::vector<AttemptReport> reports;
};

// Changed figures of devices (memory in use). Unknown devices are ignored.
struct WorkerDevicesChanged {
  uint64_t session = 0;
  std::vector<WorkerDevice> devices;
};

struct WorkerHostChanged {
  uint64_t session = 0;
  HostFigures figures;
};

// Serving runners obey a budget, or hold more or less than before.
struct WorkerServing {
  uint64_t session = 0;
  std::vector<ServingState> states;
};

// The worker is being shut down: it goes on with what runs and gets nothing new.
struct WorkerDraining {
  uint64_t session = 0;
};

// Device time that requests which are no jobs used since the last message, by tenant: charged like
// that of jobs.
struct InteractiveUse {
  struct Use {
    std::string tenant;
    int64_t device_us = 0;
  };
  uint64_t session = 0;
  std::vector<Use> uses;
};

using Event =
    std::variant<SubmitJobs, CancelJob, RetryJob, UpdateJob, DeleteJob, UpdateLimits, SetTenant,
                 SetKey, SetArrayWidth, PauseQueue, InteractiveUse, WorkerAttached, WorkerDetached,
                 WorkerHeartbeat, WorkerReports, WorkerDevicesChanged, WorkerDraining, CordonWorker,
                 WorkerHostChanged, WorkerServing, ReviveDependents, InputsResolved>;

}  // namespace switchyard::scheduler
