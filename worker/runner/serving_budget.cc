#include "worker/runner/serving_budget.h"

namespace switchyard::worker {

void ServingBudgetKeeper::Obey(const ::switchyard::worker::v1::ServingBudget& budget) {
  MutexLock lock(mutex_);
  sequence_ = budget.sequence();
  if (models_ != nullptr) models_->SetBudget(budget.bytes());
  Tell(models_ == nullptr ? ResidentModels::Held() : models_->Trim());
}

void ServingBudgetKeeper::Look() {
  if (models_ == nullptr) return;
  MutexLock lock(mutex_);
  const ResidentModels::Held held = models_->Trim();
  if (held != told_) Tell(held);
}

void ServingBudgetKeeper::Tell(ResidentModels::Held held) {
  told_ = held;
  ::switchyard::worker::v1::ServingState state;
  state.set_sequence(sequence_);
  state.set_held_bytes(held.bytes);
  state.set_busy_bytes(held.busy_bytes);
  outbox_.Serving(state);
}

}  // namespace switchyard::worker
