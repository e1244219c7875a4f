// Sweeps artifacts once an hour, while this scheduler leads. Several at once, when the leader
// changes in the middle, are no danger: the rule (artifact_sweep.h) rests on what is stored alone.
//
// Thread-safe. One thread of its own.
#pragma once

#include <thread>

#include "absl/time/time.h"
#include "common/sync/mutex.h"
#include "scheduler/service/backend.h"

namespace switchyard::scheduler {

class ArtifactSweeper {
 public:
  // The first time one interval after its start.
  ArtifactSweeper(const Backend& backend, absl::Duration keep);
  // Waits until a sweep that is under way has seen it: some calls on the store.
  ~ArtifactSweeper();

 private:
  void Run();
  // False: it is to end.
  bool WaitForTheNext() EXCLUDES(mutex_);
  bool stopped() EXCLUDES(mutex_);

  const Backend& backend_;
  const absl::Duration keep_;
  Mutex mutex_;
  CondVar changed_;
  bool stop_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace switchyard::scheduler
