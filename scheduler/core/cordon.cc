// Workers that get no new work by an operator's wish.
#include <vector>

#include "scheduler/core/core_impl.h"

namespace switchyard::scheduler {

void Core::Impl::On(const CordonWorker& event) {
  if (event.lift) {
    cordons_.erase(event.cordon.worker);
  } else {
    cordons_[event.cordon.worker] = event.cordon;
  }
  effects_->cordons_changed = true;
  effects_->fleet_changed = true;
  const auto found = worker_names_.find(event.cordon.worker);
  if (found != worker_names_.end()) OpenPools(found->second);
  Answer(event.tag, 0);
}

bool Core::Impl::Accepts(const WorkerRow& worker) const {
  return worker.session != 0 && cordons_.find(worker.id) == cordons_.end();
}

void Core::Impl::OpenPools(uint32_t number) {
  const WorkerRow& worker = workers_[number];
  const bool accepts = Accepts(worker);
  for (const uint32_t pool : worker.pools) accepts ? pools_.Open(pool) : pools_.Close(pool);
}

std::vector<Cordon> Core::Impl::Cordons() const {
  std::vector<Cordon> cordons;
  for (const auto& [worker, cordon] : cordons_) cordons.push_back(cordon);
  return cordons;
}

}  // namespace switchyard::scheduler
