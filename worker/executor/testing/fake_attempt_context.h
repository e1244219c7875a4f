// An AttemptContext that keeps what it is told, for tests of executors. Thread-safe as far as the
// port demands; the recorded vectors are to be read once the executor has returned.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "common/sync/mutex.h"
#include "worker/executor/executor.h"

namespace switchyard::worker {

class FakeAttemptContext final : public AttemptContext {
 public:
  struct ProgressCall {
    double fraction;
    std::string message;
  };
  struct LogCall {
    api::LogLine::Severity severity;
    std::string text;
  };
  struct MetricCall {
    std::string name;
    uint64_t step;
    double value;
  };

  // `artifacts` outlives this; `work_dir` exists.
  FakeAttemptContext(ArtifactStore& artifacts, std::string work_dir,
                     std::vector<std::string> data_roots = {})
      : artifacts_(artifacts), work_dir_(std::move(work_dir)), data_roots_(std::move(data_roots)) {}

  // What a test turns.
  void Cancel() { Set(&cancelled_); }
  void RequestStop() { Set(&stop_requested_); }
  // As RequestStop, but a later attempt goes on.
  void Preempt(absl::Duration grace = absl::Seconds(30)) {
    MutexLock lock(mutex_);
    preempted_ = stop_requested_ = true;
    grace_ = grace;
  }
  void set_gang(GangPlace gang) { gang_ = std::move(gang); }
  void set_memory_limit_bytes(int64_t bytes) { memory_limit_bytes_ = bytes; }
  // Cancels, or asks to stop, at the n-th yield point from now (1: the next).
  void CancelAtYieldPoint(int n) { Arm(&cancel_at_, n); }
  void StopAtYieldPoint(int n) { Arm(&stop_at_, n); }
  void PreemptAtYieldPoint(int n) {
    Arm(&stop_at_, n);
    MutexLock lock(mutex_);
    preempted_ = true;
  }
  void set_device(DeviceHandle device) { device_ = std::move(device); }

  bool Cancelled() const override { return Get(&cancelled_); }
  bool StopRequested() const override { return Get(&stop_requested_); }
  bool Preempted() const override { return Get(&preempted_) && Get(&stop_requested_); }
  absl::Duration GraceLeft() const override {
    MutexLock lock(mutex_);
    return stop_requested_ ? grace_ : absl::InfiniteDuration();
  }
  void EndsEarly() override { ended_early = true; }
  const GangPlace& gang() const override { return gang_; }
  int64_t memory_limit_bytes() const override { return memory_limit_bytes_; }
  bool KeepMemory(int64_t bytes) override {
    kept_bytes += bytes;
    return true;
  }
  void NoteMemoryPeak(int64_t bytes) override { noted_peak_bytes = bytes; }
  void SetBatch(uint32_t count) override { batch = count; }
  void YieldPoint() override {
    MutexLock lock(mutex_);
    ++yield_points;
    if (cancel_at_ != 0 && yield_points >= cancel_at_) cancelled_ = true;
    if (stop_at_ != 0 && yield_points >= stop_at_) stop_requested_ = true;
  }
  void SetPhase(api::Job::Phase phase) override {
    MutexLock lock(mutex_);
    phases.push_back(phase);
  }
  void Progress(double fraction, absl::string_view message) override {
    MutexLock lock(mutex_);
    progress.push_back({fraction, std::string(message)});
  }
  void Log(api::LogLine::Severity severity, absl::string_view text) override {
    MutexLock lock(mutex_);
    logs.push_back({severity, std::string(text)});
  }
  void Metric(absl::string_view name, uint64_t step, double value) override {
    MutexLock lock(mutex_);
    metrics.push_back({std::string(name), step, value});
  }
  void AddOutput(api::OutputArtifact output) override {
    MutexLock lock(mutex_);
    outputs.push_back(std::move(output));
  }
  void ReportCheckpoint(api::OutputArtifact checkpoint) override {
    MutexLock lock(mutex_);
    checkpoints.push_back(std::move(checkpoint));
  }
  ArtifactStore& artifacts() override { return artifacts_; }
  const std::string& work_dir() const override { return work_dir_; }
  const std::vector<std::string>& data_roots() const override { return data_roots_; }
  const DeviceHandle& device() const override { return device_; }

  // The values of one series, in order.
  std::vector<double> Series(absl::string_view name) const {
    std::vector<double> values;
    for (const MetricCall& metric : metrics) {
      if (absl::string_view(metric.name) == name) values.push_back(metric.value);
    }
    return values;
  }

  int yield_points = 0;
  bool ended_early = false;
  uint32_t batch = 0;
  int64_t kept_bytes = 0;
  int64_t noted_peak_bytes = 0;
  std::vector<api::Job::Phase> phases;
  std::vector<ProgressCall> progress;
  std::vector<LogCall> logs;
  std::vector<MetricCall> metrics;
  std::vector<api::OutputArtifact> outputs;
  std::vector<api::OutputArtifact> checkpoints;

 private:
  void Set(bool* flag) {
    MutexLock lock(mutex_);
    *flag = true;
  }
  bool Get(const bool* flag) const {
    MutexLock lock(mutex_);
    return *flag;
  }
  void Arm(int* at, int n) {
    MutexLock lock(mutex_);
    *at = yield_points + n;
  }

  ArtifactStore& artifacts_;
  const std::string work_dir_;
  const std::vector<std::string> data_roots_;
  DeviceHandle device_{.device = "cpu", .name = "test processor", .threads = 1};
  mutable Mutex mutex_;
  bool cancelled_ = false;
  bool stop_requested_ = false;
  bool preempted_ = false;
  absl::Duration grace_ = absl::InfiniteDuration();
  GangPlace gang_;
  int64_t memory_limit_bytes_ = 0;
  int cancel_at_ = 0;
  int stop_at_ = 0;
};

}  // namespace switchyard::worker
