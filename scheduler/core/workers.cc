// Workers come, go, and are given up.
#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "scheduler/core/core_impl.h"
#include "scheduler/policy/limits.h"

namespace switchyard::scheduler {

uint32_t Core::Impl::WorkerOf(uint64_t session) {
  const auto found = sessions_.find(session);
  if (found != sessions_.end()) return found->second;
  // A stream of a core before this one, or one that was replaced: it has to attach anew.
  effects_->closed_sessions.push_back(session);
  return kNone;
}

uint32_t Core::Impl::WorkerNamed(const std::string& id) {
  const auto found = worker_names_.find(id);
  if (found != worker_names_.end()) return found->second;
  const uint32_t number = workers_.Add();
  workers_[number].id = id;
  worker_names_.emplace(id, number);
  RenewLease(number);
  return number;
}

void Core::Impl::RenewLease(uint32_t number) {
  WorkerRow& worker = workers_[number];
  const int64_t lease_us = config_.bugs.early_lease_expiry
                               ? config_.lease_us / 4
                               : config_.lease_us + config_.lease_margin_us;
  worker.lease_until_us = now_.boot_us + lease_us;
  if (worker.lease_timer != kNone) return;  // It looks again when it fires.
  worker.lease_timer = boot_timers_.Add(worker.lease_until_us, {TimerKind::kLease, number});
}

void Core::Impl::OnLeaseTimer(uint32_t number) {
  WorkerRow& worker = workers_[number];
  worker.lease_timer = kNone;
  if (worker.lease_until_us > now_.boot_us) {
    worker.lease_timer = boot_timers_.Add(worker.lease_until_us, {TimerKind::kLease, number});
    return;
  }
  Disconnect(number);
  if (config_.bugs.forgotten_lease_expiry) return;
  LoseWorker(number);
}

void Core::Impl::Disconnect(uint32_t number) {
  WorkerRow& worker = workers_[number];
  if (worker.session == 0) return;
  effects_->closed_sessions.push_back(worker.session);
  sessions_.erase(worker.session);
  worker.session = 0;
  OpenPools(number);
  effects_->fleet_changed = true;
}

void Core::Impl::LoseWorker(uint32_t number) {
  WorkerRow& worker = workers_[number];
  while (worker.attempts_head != kNone) {
    AttemptOver(worker.attempts_head, Outcome::kWorkerLost, nullptr);
  }
  DropPools(number);
  CloseMemory(number);
  NoteLedgerUser(worker.id, "");
  boot_timers_.Cancel(worker.serving_timer);
  wall_timers_.Cancel(worker.drain_timer);
  worker_names_.erase(worker.id);
  workers_.Remove(number);
  effects_->fleet_changed = true;
}

void Core::Impl::On(const WorkerDetached& event) {
  const auto found = sessions_.find(event.session);
  if (found != sessions_.end()) Disconnect(found->second);
}

void Core::Impl::On(const WorkerHeartbeat& event) {
  const uint32_t number = WorkerOf(event.session);
  if (number == kNone) return;
  workers_[number].last_seen_us = now_.wall_us;
  RenewLease(number);
  effects_->heartbeat_acks.push_back({event.session, event.sequence});
}

void Core::Impl::On(const WorkerDevicesChanged& event) {
  const uint32_t number = WorkerOf(event.session);
  if (number == kNone) return;
  for (WorkerDevice& device : workers_[number].devices) {
    for (const WorkerDevice& changed : event.devices) {
      if (changed.device == device.device) device.memory_used_bytes = changed.memory_used_bytes;
    }
  }
  effects_->fleet_changed = true;
}

void Core::Impl::On(const WorkerDraining& event) {
  const uint32_t number = WorkerOf(event.session);
  if (number == kNone) return;
  workers_[number].kinds = 0;
  AddPools(number, TakePools(number));
}

void Core::Impl::On(const WorkerAttached& event) {
  const uint32_t number = WorkerNamed(event.worker);
  WorkerRow& worker = workers_[number];
  // Late, of a stream it gave up before it opened the one we know, or a core before this one knew:
  // its state is an old one, and who believed it would end what runs.
  if (event.session < std::max(worker.newest_session, config_.first_session)) {
    effects_->closed_sessions.push_back(event.session);
    return;
  }
  worker.newest_session = event.session;
  if (worker.session != event.session) Disconnect(number);
  const bool same = worker.incarnation.empty() || worker.incarnation == event.incarnation;
  const std::vector<uint32_t> held = TakePools(number);
  CloseMemory(number);
  Describe(worker, event);
  sessions_[event.session] = number;
  OpenMemory(number, event);
  AddPools(number, held);
  RenewLease(number);
  Reconcile(number, event, same);
  Empty(number);
  effects_->fleet_changed = true;
}

void Core::Impl::Describe(WorkerRow& worker, const WorkerAttached& event) {
  if (worker.incarnation != event.incarnation) worker.attach_us = now_.wall_us;
  // Known before only from stored attempts: whether those ran, nobody says until it reports them.
  worker.restored = worker.incarnation.empty();
  worker.incarnation = event.incarnation;
  worker.session = event.session;
  worker.host = event.host;
  worker.version = event.version;
  worker.last_seen_us = now_.wall_us;
  worker.devices = event.devices;
  worker.host_figures = event.host_figures;
  LookAtHost(worker);
  worker.kind_names = event.kinds;
  worker.kinds = 0;
  for (size_t i = 0; i < kinds_.size(); ++i) {
    const auto& names = event.kinds;
    if (std::find(names.begin(), names.end(), kinds_[i].config.name) != names.end()) {
      worker.kinds |= uint64_t{1} << i;
    }
  }
}

uint32_t Core::Impl::LimitOf(const WorkerRow& worker, const std::string& device,
                             JobClass job_class) const {
  return ResolveLimit(config_.limits, worker.id, device, job_class) +
         (config_.bugs.limit_off_by_one ? 1 : 0);
}

std::vector<DeviceLimit> Core::Impl::LimitsOf(const WorkerRow& worker) const {
  std::vector<DeviceLimit> limits;
  for (const uint32_t number : worker.pools) {
    const Pool& pool = pools_[number];
    limits.push_back({devices_.Text(pool.device), pool.job_class, pool.limit});
  }
  return limits;
}

std::vector<uint32_t> Core::Impl::TakePools(uint32_t number) {
  std::vector<uint32_t> held;
  for (uint32_t i = workers_[number].attempts_head; i != kNone; i = attempts_[i].next_of_worker) {
    pools_.Leave(i);
    held.push_back(i);
  }
  std::sort(held.begin(), held.end(),
            [this](uint32_t a, uint32_t b) { return attempts_[a].fencing < attempts_[b].fencing; });
  DropPools(number);
  return held;
}

void Core::Impl::AddPools(uint32_t number, const std::vector<uint32_t>& held) {
  WorkerRow& worker = workers_[number];
  const uint32_t host = hosts_.Intern(worker.host.empty() ? worker.id : worker.host);
  const auto add = [&](const std::string& device, JobClass job_class, uint32_t ledger,
                       int64_t context_bytes) {
    worker.pools.push_back(pools_.AddPool(number,
                                          {.job_class = job_class,
                                           .device = devices_.Intern(device),
                                           .kinds = worker.kinds,
                                           .gpu = absl::StartsWith(device, "cuda")},
                                          LimitOf(worker, device, job_class), host, ledger,
                                          context_bytes));
  };
  for (size_t i = 0; i < worker.devices.size(); ++i) {
    const DeviceMemory& memory = worker.memory[i];
    // Each training has a runner of its own; the others run in the serving runner.
    add(worker.devices[i].device, JobClass::kTraining, memory.ledger, memory.context_bytes);
    add(worker.devices[i].device, JobClass::kInference, memory.ledger, 0);
  }
  add("", JobClass::kGeneral, kNone, 0);
  for (const uint32_t i : held) EnterPool(i);
  OpenPools(number);
}

void Core::Impl::EnterPool(uint32_t index) {
  LiveAttempt& attempt = attempts_[index];
  const JobClass job_class = kinds_[rows_[attempt.job].kind].config.job_class;
  if (attempt.recalled) {
    // The answer may have been lost with the stream; it is asked again when need be.
    attempt.recalled = false;
    boot_timers_.Cancel(attempt.timer);
  }
  for (const uint32_t pool : workers_[attempt.worker].pools) {
    const Pool& place = pools_[pool];
    const bool fits = place.device == attempt.device || job_class == JobClass::kGeneral;
    if (place.job_class != job_class || !fits) continue;
    pools_.Enter(pool, index);
    ExpectEnd(index);
    return ArmHeld(pool);
  }
}

void Core::Impl::DropPools(uint32_t number) {
  WorkerRow& worker = workers_[number];
  for (const uint32_t pool : worker.pools) {
    boot_timers_.Cancel(pools_[pool].held_timer);
    pools_.RemovePool(pool);
  }
  worker.pools.clear();
}

void Core::Impl::Reconcile(uint32_t number, const WorkerAttached& event, bool same_incarnation) {
  WorkerRow& worker = workers_[number];
  for (uint32_t i = worker.attempts_head; i != kNone; i = attempts_[i].next_of_worker) {
    attempts_[i].seen = false;
  }
  std::vector<AttemptRef> keep;
  for (const AttemptReport& report : event.attempts) {
    const bool ended = std::holds_alternative<Finished>(report.report) ||
                       std::holds_alternative<Returned>(report.report);
    const uint32_t index = FindAttempt(number, report.ref);
    if (index == kNone) {
      if (ended) effects_->acknowledgements.push_back({event.session, report.ref});
      continue;
    }
    // A new daemon cannot hold what ran under the old one: its runners died with it.
    if (!same_incarnation && !ended) continue;
    attempts_[index].seen = true;
    Take(number, report);
    const uint32_t left = FindAttempt(number, report.ref);
    if (left != kNone && (keep.empty() || keep.back() != report.ref)) keep.push_back(report.ref);
  }
  // Budgets after what the worker holds is known to the ledger.
  effects_->welcomes.push_back(
      {event.session, std::move(keep), LimitsOf(worker), GrowServing(number)});
  EndUnseen(number, same_incarnation);
}

// What a worker was told of an attempt that goes on may have been lost with its stream.
void Core::Impl::RemindOf(uint32_t index) {
  const LiveAttempt& attempt = attempts_[index];
  const bool gang_failed =
      attempt.gang != kNone && gangs_[attempt.gang].outcome != Outcome::kUnspecified;
  if (attempt.cancelled || (gang_failed && !attempt.preempted)) {
    SendCancelTo(index, /*checkpoint_first=*/false);
  } else if (attempt.preempted) {
    SendNotice(index, now_.boot_us + config_.preemption.grace_us);
  }
}

void Core::Impl::EndUnseen(uint32_t number, bool same_incarnation) {
  WorkerRow& worker = workers_[number];
  std::vector<uint32_t> unseen;
  for (uint32_t i = worker.attempts_head; i != kNone; i = attempts_[i].next_of_worker) {
    if (!IsLead(i)) continue;
    if (!attempts_[i].seen) {
      unseen.push_back(i);
    } else if (rows_[attempts_[i].job].ending != Ending::kNone) {
      SendCancelTo(i, rows_[attempts_[i].job].ending == Ending::kStop);
    } else {
      RemindOf(i);
    }
  }
  if (config_.bugs.lost_requeue_on_attach) return;
  for (const uint32_t i : unseen) {
    // The same daemon without it: the assignment got lost on the way, nobody is to blame.
    const bool never_came = same_incarnation && !worker.restored && !attempts_[i].started;
    AttemptOver(i, never_came ? Outcome::kReturned : Outcome::kWorkerLost, nullptr);
  }
}

}  // namespace switchyard::scheduler
