// Which workers get no new work: cordoned by an operator, or on a host over its ceilings; and how a
// worker is emptied.
#include <vector>

#include "scheduler/core/core_impl.h"
#include "scheduler/policy/host_ceiling.h"

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
  if (found != worker_names_.end()) {
    OpenPools(found->second);
    Empty(found->second);
  }
  Answer(event.tag, 0);
}

void Core::Impl::On(const WorkerHostChanged& event) {
  const uint32_t number = WorkerOf(event.session);
  if (number == kNone) return;
  WorkerRow& worker = workers_[number];
  worker.host_figures = event.figures;
  LookAtHost(worker);
  OpenPools(number);
  effects_->fleet_changed = true;
}

void Core::Impl::LookAtHost(WorkerRow& worker) {
  const HostFigures& figures = worker.host_figures;
  worker.host_busy =
      HostBusy(worker.host_busy, {figures.memory_used_bytes, figures.memory_ceiling_bytes},
               {figures.cpu_used_millicores, figures.cpu_ceiling_millicores});
}

ClosedBy Core::Impl::WhyClosed(const WorkerRow& worker) const {
  if (worker.session == 0) return ClosedBy::kAway;
  if (cordons_.find(worker.id) != cordons_.end()) return ClosedBy::kCordon;
  return worker.host_busy ? ClosedBy::kHost : ClosedBy::kNothing;
}

void Core::Impl::OpenPools(uint32_t number) {
  const WorkerRow& worker = workers_[number];
  const ClosedBy why = WhyClosed(worker);
  for (const uint32_t pool : worker.pools) pools_.Close(pool, why);
}

void Core::Impl::Empty(uint32_t number) {
  WorkerRow& worker = workers_[number];
  wall_timers_.Cancel(worker.drain_timer);
  const auto cordon = cordons_.find(worker.id);
  if (cordon == cordons_.end()) return;
  // Elsewhere it may start at once.
  for (uint32_t i = worker.attempts_head; i != kNone; i = attempts_[i].next_of_worker) {
    SendRecall(i);
  }
  if (cordon->second.drain_deadline_us == 0) return;
  worker.drain_timer =
      wall_timers_.Add(cordon->second.drain_deadline_us, {TimerKind::kDrain, number});
}

void Core::Impl::OnDrainTimer(uint32_t number) {
  WorkerRow& worker = workers_[number];
  worker.drain_timer = kNone;
  for (uint32_t i = worker.attempts_head; i != kNone; i = attempts_[i].next_of_worker) {
    const LiveJob& row = rows_[attempts_[i].job];
    // Of a gang the whole: it cannot go on without this worker.
    if (attempts_[i].started && row.ending == Ending::kNone) GiveNotice(row.attempt, kNone);
  }
}

std::vector<Cordon> Core::Impl::Cordons() const {
  std::vector<Cordon> cordons;
  for (const auto& [worker, cordon] : cordons_) cordons.push_back(cordon);
  return cordons;
}

}  // namespace switchyard::scheduler
