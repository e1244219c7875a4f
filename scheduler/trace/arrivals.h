// A trace's jobs as a policy's run takes them: one ahead, checked against the cluster. Internal to
// scheduler/trace; not thread-safe.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "scheduler/trace/cluster.h"
#include "scheduler/trace/run.h"
#include "scheduler/trace/trace_job.h"

namespace switchyard::scheduler {

class Arrivals {
 public:
  Arrivals(TraceSource& trace, const Cluster& cluster, const RunProbes& probes)
      : trace_(trace), cluster_(cluster), probes_(probes) {}

  // Reads the next job into job(). INVALID_ARGUMENT naming the job that can never run here.
  absl::Status Advance();
  bool done() const { return done_; }
  int64_t next_us() const { return done_ ? kNever : job_.arrival_us; }
  const TraceJob& job() const { return job_; }
  uint64_t taken() const { return taken_; }  // Jobs read, job() included.

  const std::string& tenant() const { return trace_.tenants()[job_.tenant]; }
  // Of a job of this trace that was read.
  const KindConfig& Kind(const TraceJob& job) const { return *kinds_[job.kind]; }

 private:
  absl::Status Check();

  TraceSource& trace_;
  const Cluster& cluster_;
  const RunProbes& probes_;
  TraceJob job_;
  bool done_ = false;
  uint64_t taken_ = 0;
  std::vector<const KindConfig*> kinds_;  // By the trace's numbers.
  std::vector<uint64_t> slots_;           // Of each kind's class.
};

}  // namespace switchyard::scheduler
