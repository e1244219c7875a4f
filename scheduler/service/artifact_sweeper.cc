#include "scheduler/service/artifact_sweeper.h"

#include <chrono>

#include "common/log/log.h"
#include "scheduler/service/artifact_sweep.h"

namespace switchyard::scheduler {
namespace {

constexpr std::chrono::hours kInterval(1);

void Sweep(const Backend& backend, absl::Duration keep, const std::function<bool()>& stopped) {
  if (LeadingTerm(backend.leadership, backend.clock) == 0) return;
  const absl::StatusOr<ArtifactSweep> sweep =
      SweepArtifacts(backend.store, backend.artifacts, backend.clock.Now(), keep, stopped);
  if (absl::IsCancelled(sweep.status())) return;
  if (!sweep.ok()) {
    LogWarning("artifacts could not be swept; the next try is in an hour",
               {{"error", sweep.status().ToString()}});
  } else if (sweep->removed != 0 || sweep->abandoned != 0) {
    LogInfo("artifacts swept", {{"removed", sweep->removed},
                                {"removed_bytes", sweep->removed_bytes},
                                {"abandoned_uploads", sweep->abandoned}});
  }
}

}  // namespace

ArtifactSweeper::ArtifactSweeper(const Backend& backend, absl::Duration keep)
    : backend_(backend), keep_(keep), thread_([this] { Run(); }) {}

ArtifactSweeper::~ArtifactSweeper() {
  {
    MutexLock lock(mutex_);
    stop_ = true;
    changed_.SignalAll();
  }
  thread_.join();
}

bool ArtifactSweeper::stopped() {
  MutexLock lock(mutex_);
  return stop_;
}

void ArtifactSweeper::Run() {
  while (WaitForTheNext()) Sweep(backend_, keep_, [this] { return stopped(); });
}

bool ArtifactSweeper::WaitForTheNext() {
  MutexLock lock(mutex_);
  const auto next = std::chrono::steady_clock::now() + kInterval;
  for (auto now = next - kInterval; !stop_ && now < next; now = std::chrono::steady_clock::now()) {
    changed_.WaitFor(mutex_, next - now);
  }
  return !stop_;
}

}  // namespace switchyard::scheduler
