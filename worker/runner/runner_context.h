// The AttemptContext of a real runner: what an executor tells becomes events and reports in the
// outbox.
#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <vector>

#include "common/artifacts/artifact_store.h"
#include "common/clock/clock.h"
#include "common/sync/mutex.h"
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
};

class RunnerContext final : public AttemptContext {
 public:
  RunnerContext(const RunnerSurroundings& surroundings, const AttemptKey& attempt);
  // From the frame's side.
  void Cancel() { cancelled_ = true; }
  void RequestStop() { stop_requested_ = true; }
  // Outputs added so far, taken out.
  std::vector<api::OutputArtifact> TakeOutputs();
  // Once the executor is gone.
  void RemoveWorkDir();

  bool Cancelled() const override { return cancelled_; }
  bool StopRequested() const override { return stop_requested_; }
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

 private:
  api::JobEvent NewEvent() const;

  const RunnerSurroundings& surroundings_;
  const AttemptKey attempt_;
  const std::string work_dir_;
  mutable std::once_flag work_dir_made_;  // Few kinds need one: made when asked for.
  std::atomic<bool> cancelled_ = false;
  std::atomic<bool> stop_requested_ = false;
  Mutex mutex_;
  api::Progress progress_ GUARDED_BY(mutex_);  // As last told.
  std::vector<api::OutputArtifact> outputs_ GUARDED_BY(mutex_);
};

}  // namespace switchyard::worker
