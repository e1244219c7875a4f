#include "scheduler/trace/run_meter.h"

#include <algorithm>

namespace switchyard::scheduler {
namespace {

constexpr double kMicrosecondsPerSecond = 1e6;
// How often shares are looked at: often beside the jobs that matter (hours), seldom beside
// decisions.
constexpr int64_t kShareLookUs = 60'000'000;

// The value below which `share` of all lies (nearest rank).
double Percentile(std::vector<float>& values, double share) {
  if (values.empty()) return 0;
  const size_t rank = std::min(values.size() - 1, static_cast<size_t>(share * values.size()));
  std::nth_element(values.begin(), values.begin() + rank, values.end());
  return values[rank];
}

}  // namespace

RunMeter::RunMeter(const Cluster& cluster) : cluster_(cluster), shares_(kShareLookUs) {}

void RunMeter::AdvanceTo(int64_t now_us) {
  if (now_us <= now_us_) return;
  shares_.AdvanceTo(now_us);
  busy_us_ += static_cast<double>(busy_) * static_cast<double>(now_us - now_us_);
  now_us_ = now_us;
}

void RunMeter::Arrived(const TraceJob& job, const std::string& tenant, JobClass job_class) {
  AdvanceTo(job.arrival_us);
  if ((classes_ >> static_cast<int>(job_class) & 1) == 0) {
    classes_ |= 1u << static_cast<int>(job_class);
    slots_ += SlotsOf(cluster_, job_class);
    shares_.SetCapacity(static_cast<double>(slots_));
  }
  if (job.tenant >= known_tenants_.size()) known_tenants_.resize(job.tenant + 1, false);
  if (!known_tenants_[job.tenant]) {
    const auto weight = cluster_.weights.find(tenant);
    shares_.SetWeight(job.tenant, weight == cluster_.weights.end() ? 1 : weight->second);
    known_tenants_[job.tenant] = true;
  }
  shares_.Wants(job.tenant, job.devices);
  last_arrival_us_ = job.arrival_us;
  busy_at_last_arrival_us_ = busy_us_;
  peak_waiting_ = std::max(peak_waiting_, ++waiting_);
}

void RunMeter::Started(const TraceJob& job, int64_t now_us) {
  AdvanceTo(now_us);
  shares_.Has(job.tenant, job.devices);
  busy_ += job.devices;
  --waiting_;
}

void RunMeter::Stopped(const TraceJob& job, int64_t now_us) {
  AdvanceTo(now_us);
  shares_.Has(job.tenant, -static_cast<int64_t>(job.devices));
  busy_ -= job.devices;
  peak_waiting_ = std::max(peak_waiting_, ++waiting_);
}

void RunMeter::Ended(const TraceJob& job, int64_t ran_us, int64_t now_us) {
  AdvanceTo(now_us);
  shares_.Wants(job.tenant, -static_cast<int64_t>(job.devices));
  --waiting_;
  Count(job, ran_us, now_us);
}

void RunMeter::Count(const TraceJob& job, int64_t ran_us, int64_t end_us) {
  const double completion_s = (end_us - job.arrival_us) / kMicrosecondsPerSecond;
  const double waited_s = std::max(0.0, completion_s - ran_us / kMicrosecondsPerSecond);
  completion_s_ += completion_s;
  wait_s_ += waited_s;
  waits_s_.push_back(static_cast<float>(waited_s));
  last_end_us_ = std::max(last_end_us_, end_us);
}

void RunMeter::Finish(const std::vector<std::string>& tenants, RunResult& result) {
  result.jobs = waits_s_.size();
  const double jobs = static_cast<double>(std::max<uint64_t>(result.jobs, 1));
  result.mean_completion_s = completion_s_ / jobs;
  result.mean_wait_s = wait_s_ / jobs;
  result.wait_p50_s = Percentile(waits_s_, 0.50);
  result.wait_p99_s = Percentile(waits_s_, 0.99);
  result.makespan_s = last_end_us_ / kMicrosecondsPerSecond;
  result.peak_waiting = peak_waiting_;
  if (last_arrival_us_ > 0) {
    result.utilisation = busy_at_last_arrival_us_ / static_cast<double>(last_arrival_us_) /
                         static_cast<double>(slots_);
  }
  const ShareMeter::Error worst = shares_.Worst();
  result.share_error = worst.share;
  if (worst.tenant < tenants.size()) result.share_tenant = tenants[worst.tenant];
}

}  // namespace switchyard::scheduler
