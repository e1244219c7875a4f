// The AttemptContext of a real runner: what an executor tells becomes events and reports in the
// outbox.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "common/artifacts/artifact_store.h"
#include "common/clock/clock.h"
#include "common/sync/mutex.h"
#include "worker/executor/attempt_memory.h"
#include "worker/executor/executor.h"
#include "worker/runner/outbox.h"
#include "worker/start/attempt_key.h"

namespace switchyard::worker {

// What all attempts of a runner share. Everything outlives the contexts.
struct RunnerSurroundings {
  ArtifactStore& artifacts;
  Outbox& outbox;
  Clock& clock;
  DeviceHandle device;
  std::string work_dir;  // Parent of the attempts' scratch folders; exists.
  std::vector<std::string> data_roots;
  // Meters of attempts' memory (Backend::NewAttempt); none: nothing is measured.
  std::function<std::unique_ptr<AttemptMemory>(int64_t limit_bytes)> meter;
};

class RunnerContext final : public AttemptContext {
 public:
  RunnerContext(const RunnerSurroundings& surroundings,
                const ::switchyard::worker::v1::Assignment& assignment);
  // From the frame's side.
  void Cancel() { cancelled_ = true; }
  // By BootTime `kill_at` it is killed. `preempted`: another attempt goes on.
  void RequestStop(bool preempted, absl::Duration kill_at);
  bool ended_early() const { return ended_early_; }
  uint32_t batch() const { return batch_; }
  AttemptMemory& memory() { return *memory_; }
  int64_t memory_peak_bytes() const;
  // Outputs added so far, taken out.
  std::vector<api::OutputArtifact> TakeOutputs();
  // Once the executor is gone.
  void RemoveWorkDir();

  bool Cancelled() const override { return cancelled_; }
  bool StopRequested() const override { return stop_requested_; }
  bool Preempted() const override { return preempted_; }
  absl::Duration GraceLeft() const override;
  void EndsEarly() override { ended_early_ = true; }
  // On cpu the operating system lets urgent work through (training runs at nice 19).
  void YieldPoint() override {}
  void SetPhase(api::Job::Phase phase) override;
  void Progress(double fraction, absl::string_view message) override;
  void Log(api::LogLine::Severity severity, absl::string_view text) override;
  void Metric(absl::string_view name, uint64_t step, double value) override;
  void AddOutput(api::OutputArtifact output) override;
  void ReportCheckpoint(api::OutputArtifact checkpoint) override;
  ArtifactStore& artifacts() override { return surroundings_.artifacts; }
  const std::string& work_dir() const override;
  const std::vector<std::string>& data_roots() const override { return surroundings_.data_roots; }
  const DeviceHandle& device() const override { return surroundings_.device; }
  const GangPlace& gang() const override { return gang_; }
  int64_t memory_limit_bytes() const override { return memory_limit_bytes_; }
  bool KeepMemory(int64_t bytes) override { return memory_->Keep(bytes); }
  void NoteMemoryPeak(int64_t bytes) override;
  void SetBatch(uint32_t batch) override { batch_ = batch; }

 private:
  api::JobEvent NewEvent() const;

  const RunnerSurroundings& surroundings_;
  const AttemptKey attempt_;
  const std::string work_dir_;
  const GangPlace gang_;
  const int64_t memory_limit_bytes_;
  const std::unique_ptr<AttemptMemory> memory_;
  mutable std::once_flag work_dir_made_;  // Few kinds need one: made when asked for.
  std::atomic<bool> cancelled_ = false;
  std::atomic<bool> stop_requested_ = false;
  std::atomic<bool> preempted_ = false;
  std::atomic<bool> ended_early_ = false;
  std::atomic<int64_t> kill_at_ns_ = 0;  // BootTime.
  std::atomic<uint32_t> batch_ = 0;
  std::atomic<int64_t> noted_peak_bytes_ = 0;
  Mutex mutex_;
  api::Progress progress_ GUARDED_BY(mutex_);  // As last told.
  std::vector<api::OutputArtifact> outputs_ GUARDED_BY(mutex_);
};

}  // namespace switchyard::worker
