#include <algorithm>
#include <queue>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "scheduler/trace/arrivals.h"
#include "scheduler/trace/run.h"

namespace switchyard::scheduler {
namespace {

constexpr double kNanosecondsPerSecond = 1e9;

class BaselineRun {
 public:
  BaselineRun(BaselinePolicy policy, TraceSource& trace, const Cluster& cluster,
              const RunProbes& probes)
      : trace_(trace), probes_(probes), arrivals_(trace, cluster, probes), meter_(cluster) {
    for (int job_class = 0; job_class < kJobClasses; ++job_class) {
      queues_.emplace_back(policy, SlotsOf(cluster, static_cast<JobClass>(job_class)));
    }
  }

  absl::StatusOr<RunResult> Run() {
    const int64_t begin_ns = Clock();
    if (absl::Status status = arrivals_.Advance(); !status.ok()) return status;
    while (!arrivals_.done() || !ends_.empty()) {
      now_us_ = std::min(arrivals_.next_us(), ends_.empty() ? kNever : ends_.top().first);
      EndDue();
      if (absl::Status status = SubmitDue(); !status.ok()) return status;
      const int64_t decide_ns = Clock();
      for (BaselineQueue& queue : queues_) {
        queue.Decide(now_us_, [this](uint64_t number) { Start(number); });
      }
      result_.decision_s += (Clock() - decide_ns) / kNanosecondsPerSecond;
    }
    result_.run_s = (Clock() - begin_ns) / kNanosecondsPerSecond;
    meter_.Finish(trace_.tenants(), result_);
    return result_;
  }

 private:
  int64_t Clock() const { return probes_.now_ns ? probes_.now_ns() : 0; }
  BaselineQueue& QueueOf(const TraceJob& job) {
    return queues_[static_cast<int>(arrivals_.Kind(job).job_class)];
  }

  void EndDue() {
    while (!ends_.empty() && ends_.top().first <= now_us_) {
      const uint64_t number = ends_.top().second;
      ends_.pop();
      const auto found = jobs_.find(number);
      const TraceJob job = found->second;
      jobs_.erase(found);
      meter_.Stopped(job, now_us_);
      const int64_t ran_us = RunTime(job);
      meter_.Ended(job, ran_us, now_us_);
      result_.failed += job.fails ? 1 : 0;
      result_.timed_out += ran_us < job.duration_us ? 1 : 0;
      QueueOf(job).Ended(number);
    }
  }

  absl::Status SubmitDue() {
    while (!arrivals_.done() && arrivals_.next_us() <= now_us_) {
      const TraceJob& job = arrivals_.job();
      meter_.Arrived(job, arrivals_.tenant(), arrivals_.Kind(job).job_class);
      const uint64_t number = arrivals_.taken();
      jobs_.emplace(number, job);
      QueueOf(job).Submit({number, job.devices, job.priority,
                           DeclaredLimitUs(job.timeout_us, arrivals_.Kind(job))});
      if (absl::Status status = arrivals_.Advance(); !status.ok()) return status;
    }
    return absl::OkStatus();
  }

  // It is ended by its limit, as with the core.
  int64_t RunTime(const TraceJob& job) const {
    return std::min(job.duration_us, DeclaredLimitUs(job.timeout_us, arrivals_.Kind(job)));
  }

  void Start(uint64_t number) {
    const TraceJob& job = jobs_.find(number)->second;
    meter_.Started(job, now_us_);
    ++result_.decisions;
    ends_.emplace(now_us_ + RunTime(job), number);
    if (probes_.resident_bytes && result_.decisions % 65'536 == 0) {
      result_.peak_bytes = std::max(result_.peak_bytes, probes_.resident_bytes());
    }
  }

  TraceSource& trace_;
  const RunProbes& probes_;
  Arrivals arrivals_;
  RunMeter meter_;
  RunResult result_;
  std::vector<BaselineQueue> queues_;  // By class.
  // Looked up only, never iterated: its order is random.
  absl::flat_hash_map<uint64_t, TraceJob> jobs_;
  using End = std::pair<int64_t, uint64_t>;
  std::priority_queue<End, std::vector<End>, std::greater<End>> ends_;
  int64_t now_us_ = 0;
};

}  // namespace

absl::StatusOr<RunResult> RunBaseline(BaselinePolicy policy, TraceSource& trace,
                                      const Cluster& cluster, const RunProbes& probes) {
  return BaselineRun(policy, trace, cluster, probes).Run();
}

}  // namespace switchyard::scheduler
