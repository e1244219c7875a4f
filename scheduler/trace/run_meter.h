// What is measured of one policy on one trace. Not thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "scheduler/trace/cluster.h"
#include "scheduler/trace/share_meter.h"
#include "scheduler/trace/trace_job.h"

namespace switchyard::scheduler {

struct RunResult {
  std::string policy;
  uint64_t jobs = 0;
  uint64_t failed = 0;     // Ended without success, as the trace says.
  uint64_t timed_out = 0;  // Ended by their declared limit.
  uint64_t preemptions = 0;
  double wait_p50_s = 0;  // From arrival to end, less the time it ran.
  double wait_p99_s = 0;
  double mean_wait_s = 0;
  double mean_completion_s = 0;  // From arrival to end.
  double makespan_s = 0;         // From the first arrival to the last end.
  double utilisation = 0;        // Of all slots, until the last arrival.
  double share_error = 0;        // ShareMeter::Error::share.
  std::string share_tenant;      // Whose it is.
  uint64_t decisions = 0;        // Attempts handed out.
  double decision_s = 0;         // Time spent in the policy's own code.
  double run_s = 0;              // Time of the whole run, generator and workers included.
  int64_t peak_bytes = 0;     // Most resident memory of this process, as far as it was looked at.
  uint64_t peak_waiting = 0;  // Most jobs that waited at once.
};

class RunMeter {
 public:
  // The cluster outlives this. What counts as the whole of it are the slots of the classes seen.
  explicit RunMeter(const Cluster& cluster);

  // In order of time. A job arrives once; starts and stops in turn; ends once, stopped.
  void Arrived(const TraceJob& job, const std::string& tenant, JobClass job_class);
  void Started(const TraceJob& job, int64_t now_us);
  void Stopped(const TraceJob& job, int64_t now_us);
  void Ended(const TraceJob& job, int64_t ran_us, int64_t now_us);

  // A job that came, ran once and ended, told whole; nothing is known of the others meanwhile.
  void Ran(const TraceJob& job, int64_t end_us) { Count(job, job.duration_us, end_us); }

  // Fills what it measured. `tenants`: the trace's names.
  void Finish(const std::vector<std::string>& tenants, RunResult& result);

 private:
  void AdvanceTo(int64_t now_us);
  void Count(const TraceJob& job, int64_t ran_us, int64_t end_us);

  const Cluster& cluster_;
  uint64_t slots_ = 0;
  uint32_t classes_ = 0;  // Bit: seen.
  ShareMeter shares_;
  std::vector<float> waits_s_;
  double completion_s_ = 0;
  double wait_s_ = 0;
  std::vector<bool> known_tenants_;
  uint64_t busy_ = 0;
  double busy_us_ = 0;
  int64_t now_us_ = 0;
  int64_t last_arrival_us_ = 0;
  double busy_at_last_arrival_us_ = 0;
  int64_t last_end_us_ = 0;
  uint64_t waiting_ = 0;
  uint64_t peak_waiting_ = 0;
};

}  // namespace switchyard::scheduler
