// Runs a trace through a policy: ours, which is the real scheduling core with simulated workers, or
// a baseline. Discrete events: time jumps from one to the next.
//
// The same trace and options give the same result, but for the times it took. Not thread-safe.
#pragma once

#include <cstdint>
#include <functional>

#include "absl/status/statusor.h"
#include "scheduler/trace/baseline.h"
#include "scheduler/trace/cluster.h"
#include "scheduler/trace/run_meter.h"
#include "scheduler/trace/trace_job.h"

namespace switchyard::scheduler {

// What is measured of the run itself. Each may be null: not measured.
struct RunProbes {
  std::function<int64_t()> now_ns;              // A steady clock.
  std::function<int64_t()> resident_bytes;      // Of this process.
  std::function<void(uint64_t jobs)> progress;  // Called every 100,000 jobs that arrived.
};

// The scheduler's own core (scheduler/core) and policies. INVALID_ARGUMENT: the trace is not well
// formed, or a job can never run on this cluster. INTERNAL: the core handed out what it must not (a
// device beyond its limit): a bug.
absl::StatusOr<RunResult> RunCore(TraceSource& trace, const Cluster& cluster,
                                  const RunProbes& probes);

// INVALID_ARGUMENT as above.
absl::StatusOr<RunResult> RunBaseline(BaselinePolicy policy, TraceSource& trace,
                                      const Cluster& cluster, const RunProbes& probes);

}  // namespace switchyard::scheduler
