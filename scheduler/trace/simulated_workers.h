// The machines of a run of the core: what each device runs and holds, and what its worker would
// report. They obey as a worker does, at once: an assignment starts where there is room, else it is
// held in order of rank; recalls and cancels are answered.
//
// Internal to scheduler/trace; not thread-safe.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "scheduler/core/effects.h"
#include "scheduler/core/event.h"
#include "scheduler/trace/cluster.h"

namespace switchyard::scheduler {

// What became of an attempt on its worker, for the run to act on.
struct WorkerNews {
  enum Kind { kStarted, kReturned, kPreempted, kCancelled };
  Kind kind;
  AttemptRef ref;
  std::vector<uint64_t> sessions;  // Of each worker that has a part in it: all report.
};

class SimulatedWorkers {
 public:
  explicit SimulatedWorkers(const Cluster& cluster);

  // The first message of a worker, from 0. Its session is its number plus 1.
  WorkerAttached Attach(uint32_t worker) const;

  // Each appends what follows. INTERNAL: the core asked for what no worker can do.
  absl::Status Assign(const AssignAttempt& assignment, std::vector<WorkerNews>& news);
  void Recall(const AttemptRef& ref, std::vector<WorkerNews>& news);
  void Cancel(const CancelAttempt& cancel, std::vector<WorkerNews>& news);
  // A running attempt is over by itself; gives the sessions that report it.
  std::vector<uint64_t> Finish(const AttemptRef& ref, std::vector<WorkerNews>& news);
  // Whether this attempt runs.
  bool Runs(const AttemptRef& ref) const;

 private:
  // Attempts of one class on one device (or worker, for GENERAL).
  struct Lane {
    uint32_t running = 0;
    uint32_t limit = 0;
    std::vector<AttemptRef> held;
  };
  struct Attempt {
    AttemptRef ref;
    std::vector<uint64_t> sessions;
    std::vector<uint32_t> lanes;  // One for each device.
    uint64_t rank = 0;
    bool running = false;
  };

  absl::Status AddPlaces(const AssignAttempt& assignment, Attempt& attempt);
  absl::Status StartGang(Attempt& attempt, std::vector<WorkerNews>& news);
  // Nullptr: it is not here.
  Attempt* Find(const AttemptRef& ref);
  uint32_t LaneOf(uint32_t worker, uint32_t device, JobClass job_class) const;
  void StartHeld(uint32_t lane, std::vector<WorkerNews>& news);
  void Forget(Attempt& attempt, std::vector<WorkerNews>& news);

  const Cluster& cluster_;
  std::vector<Lane> lanes_;
  // By job: it has at most one attempt. Looked up only, never iterated: the order is random.
  absl::flat_hash_map<JobId, Attempt> attempts_;
};

}  // namespace switchyard::scheduler
