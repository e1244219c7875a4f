// Obeys the scheduler's budget for resident models, and tells what they hold.
//
// Shrinking is in two phases: the scheduler asks, the runner evicts and answers, and only then are
// the bytes promised to others. So an answer with a budget's sequence is never sent before what is
// idle and over it has gone.
#pragma once

#include <memory>

#include "common/sync/mutex.h"
#include "switchyard/worker/v1/worker_service.pb.h"
#include "worker/executor/resident_models.h"
#include "worker/runner/outbox.h"

namespace switchyard::worker {

// Thread-safe.
class ServingBudgetKeeper {
 public:
  // `models` may be null: then nothing is held. Both outlive this.
  ServingBudgetKeeper(ResidentModels* models, Outbox& outbox) : models_(models), outbox_(outbox) {}

  // Answers always.
  void Obey(const ::switchyard::worker::v1::ServingBudget& budget);
  // Evicts what has become idle; tells when something changed.
  void Look();

 private:
  void Tell(ResidentModels::Held held) REQUIRES(mutex_);

  ResidentModels* const models_;
  Outbox& outbox_;
  Mutex mutex_;
  uint64_t sequence_ GUARDED_BY(mutex_) = 0;
  ResidentModels::Held told_ GUARDED_BY(mutex_);
};

}  // namespace switchyard::worker
