// Who makes room for more urgent work, and the notice that asks for it. See policy/preemption.h.
#include <algorithm>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/strings/match.h"
#include "scheduler/core/core_impl.h"
#include "scheduler/policy/preemption.h"

namespace switchyard::scheduler {
namespace {

// Victims looked at for one job, at most: those on devices it cannot use are passed over.
constexpr int kMostLooks = 1024;

}  // namespace

PreemptionPolicy Core::Impl::Preempting() const {
  return {.min_run_us = config_.bugs.preempts_too_early ? 0 : config_.preemption.min_run_us,
          .priority_distance = config_.preemption.priority_distance};
}

// --- Who may be asked ---

void Core::Impl::ProtectVictim(uint32_t index) {
  const LiveAttempt& attempt = attempts_[index];
  if (!rows_[attempt.job].preemptible || !config_.preemption.enabled) return;
  const JobCold* cold = rows_[attempt.job].cold.get();
  const uint32_t preempted = cold == nullptr ? 0 : cold->preempted;
  victims_.young().insert({.until_us = ProtectedUntil(now_.boot_us, preempted, Preempting()),
                           .attempt = index,
                           .fencing = attempt.fencing});
  PromoteVictims();
}

void Core::Impl::PromoteVictims() {
  auto& young = victims_.young();
  while (!young.empty() && young.begin()->until_us <= now_.boot_us) {
    const ProtectedAttempt grown = *young.begin();
    young.erase(young.begin());
    const LiveAttempt& attempt = attempts_[grown.attempt];
    const bool same = attempt.job != kNone && attempt.fencing == grown.fencing;
    if (!same || !attempt.started || attempt.over || attempt.preempted) continue;
    EnterVictim(grown.attempt);
    // Expected to be short, perhaps; it was not.
    ExpectEnd(grown.attempt);
  }
}

Victims::Order& Core::Impl::VictimsLike(const LiveAttempt& attempt, int priority) {
  const JobClass job_class = kinds_[rows_[attempt.job].kind].config.job_class;
  return victims_.Of(job_class, attempt.victim_gpu, priority);
}

VictimEntry Core::Impl::AsVictim(uint32_t index) const {
  const LiveAttempt& attempt = attempts_[index];
  return {.victim = {.saved_us = attempt.saved_boot_us,
                     .priority = attempt.victim_priority,
                     .job = rows_[attempt.job].id},
          .attempt = index};
}

void Core::Impl::EnterVictim(uint32_t index) {
  LiveAttempt& attempt = attempts_[index];
  attempt.victim_priority = rows_[attempt.job].priority;
  attempt.victim_gpu = absl::StartsWith(devices_.Text(attempt.device), "cuda");
  VictimsLike(attempt, attempt.victim_priority).insert(AsVictim(index));
}

void Core::Impl::ForgetVictim(uint32_t index) {
  LiveAttempt& attempt = attempts_[index];
  if (attempt.victim_priority == 0) return;
  VictimsLike(attempt, attempt.victim_priority).erase(AsVictim(index));
  attempt.victim_priority = 0;
}

void Core::Impl::WorkSaved(uint32_t index) {
  LiveAttempt& attempt = attempts_[index];
  const bool victim = attempt.victim_priority != 0;
  ForgetVictim(index);
  attempt.saved_boot_us = now_.boot_us;
  if (victim) EnterVictim(index);
}

void Core::Impl::VictimReprioritised(uint32_t job) {
  const uint32_t index = rows_[job].attempt;
  if (index == kNone || attempts_[index].victim_priority == 0) return;
  ForgetVictim(index);
  EnterVictim(index);
}

// --- Whether and whom to ask ---

bool Core::Impl::WithinGuarantee(uint32_t job) const {
  const Tenant& tenant = accounts_.TenantOf(rows_[job].account);
  return tenant.settings.guaranteed_running != 0 &&
         tenant.devices <= tenant.settings.guaranteed_running;
}

bool Core::Impl::MayPreempt(const Candidate& waiting, uint32_t victim) const {
  const LiveAttempt& attempt = attempts_[victim];
  const LiveJob& other = rows_[attempt.job];
  if (other.ending != Ending::kNone || workers_[attempt.worker].session == 0) return false;
  const uint32_t account = rows_[waiting.job].account;
  const Tenant& tenant = accounts_.TenantOf(account);
  if (!waiting.place.beyond_guarantee && tenant.settings.guaranteed_running != 0 &&
      &accounts_.TenantOf(other.account) != &tenant && !WithinGuarantee(attempt.job)) {
    return true;  // What was borrowed is given back, whatever the priorities.
  }
  if (waiting.place.beyond_guarantee && WithinGuarantee(attempt.job)) return false;
  return other.priority >= FirstVictimPriority(rows_[waiting.job].priority, Preempting());
}

bool Core::Impl::FitsGroup(uint32_t group, const LiveAttempt& attempt) const {
  if (attempt.pool == kNone) return false;
  const auto& shapes = shapes_[group].shapes;
  return std::find(shapes.begin(), shapes.end(), pools_[attempt.pool].shape) != shapes.end();
}

std::vector<uint32_t> Core::Impl::ChooseVictims(uint32_t group, const Candidate& waiting,
                                                uint32_t devices) {
  const JobClass job_class = kinds_[queue_.Key(group).kind].config.job_class;
  const bool gang = queue_.Key(group).device_count > 1;
  const LiveJob& row = rows_[waiting.job];
  // Only what is borrowed is taken back whatever the priorities.
  const bool reclaims = !waiting.place.beyond_guarantee &&
                        accounts_.TenantOf(row.account).settings.guaranteed_running != 0;
  const int first =
      reclaims ? kMostUrgentPriority : FirstVictimPriority(row.priority, Preempting());
  absl::InlinedVector<std::pair<Victims::Order::iterator, Victims::Order::iterator>,
                      2 * kLeastUrgentPriority>
      heads;
  for (const bool gpu : {true, false}) {
    if (gang && gpu != GangOnGpus(group)) continue;
    for (int priority = kLeastUrgentPriority; priority >= first; --priority) {
      Victims::Order& order = victims_.Of(job_class, gpu, priority);
      if (!order.empty()) heads.emplace_back(order.begin(), order.end());
    }
  }
  std::vector<uint32_t> chosen;
  if (heads.empty()) return chosen;
  uint32_t freed = 0;
  for (int looks = 0; looks < kMostLooks && freed < devices; ++looks) {
    auto best = heads.end();
    for (auto head = heads.begin(); head != heads.end(); ++head) {
      if (head->first == head->second) continue;
      if (best == heads.end() || BetterVictimEntry()(*head->first, *best->first)) best = head;
    }
    if (best == heads.end()) break;
    const uint32_t victim = (best->first++)->attempt;
    if (!FitsGroup(group, attempts_[victim]) || !MayPreempt(waiting, victim)) continue;
    if (!MemoryAfter(attempts_[victim], waiting.job)) continue;
    chosen.push_back(victim);
    freed += rows_[attempts_[victim].job].device_count;
  }
  // For part of what is needed nobody is disturbed.
  if (freed < devices) chosen.clear();
  return chosen;
}

int64_t Core::Impl::StartWithoutPreempting(uint32_t group) {
  const uint32_t needed = queue_.Key(group).device_count;
  if (needed > 1) {
    const GangRoom room = RoomOf(group);
    return EarliestStart(group, {.needed = needed, .free = room.free, .soon = room.soon},
                         GangOnGpus(group))
        .time_us;
  }
  GangSupply supply{.needed = 1};
  for (const uint32_t shape : shapes_[group].shapes) supply.soon += pools_.SoonPools(shape);
  return std::min(EarliestStart(group, supply, true).time_us,
                  EarliestStart(group, supply, false).time_us);
}

uint32_t Core::Impl::DevicesMissing(uint32_t group) const {
  const uint32_t needed = queue_.Key(group).device_count;
  uint32_t have = blocked_[group].awaited;
  if (needed > 1) have += RoomOf(group).free;
  return have >= needed ? 0 : needed - have;
}

void Core::Impl::PreemptFor(uint32_t group, const Candidate& waiting) {
  if (!config_.preemption.enabled) return;
  // A gang that holds no reservation would lose what is freed for it to another.
  if (queue_.Key(group).device_count > 1 && !HoldsReservation(group)) return;
  const uint32_t missing = DevicesMissing(group);
  if (missing == 0) return;
  PromoteVictims();
  const auto& young = victims_.young();
  if (!young.empty()) recall_at_us_ = std::min(recall_at_us_, young.begin()->until_us);
  const std::vector<uint32_t> victims = ChooseVictims(group, waiting, missing);
  if (victims.empty()) return;
  const int64_t ready_us = blocked_[group].since_us + config_.ahead_window_us;
  if (now_.boot_us < ready_us) {
    recall_at_us_ = std::min(recall_at_us_, ready_us);
    return;
  }
  if (!WorthPreempting(StartWithoutPreempting(group), now_.boot_us, config_.preemption.grace_us))
    return;
  for (const uint32_t victim : victims) GiveNotice(victim, group);
}

// --- The notice ---

void Core::Impl::GiveNotice(uint32_t index, uint32_t group) {
  LiveAttempt& attempt = attempts_[index];
  if (attempt.preempted || attempt.cancelled) return;
  ForgetVictim(index);
  attempt.preempted_for = group;
  const int64_t due_us = now_.boot_us + config_.preemption.grace_us;
  if (group != kNone) blocked_[group].awaited += rows_[attempt.job].device_count;
  if (attempt.gang != kNone) return GiveGangNotice(attempt.gang, due_us);
  attempt.preempted = true;
  boot_timers_.Cancel(attempt.timer);
  attempt.timer = boot_timers_.Add(due_us, {TimerKind::kAttempt, index});
  SendNotice(index, due_us);
}

void Core::Impl::GiveGangNotice(uint32_t number, int64_t due_us) {
  Gang& gang = gangs_[number];
  boot_timers_.Cancel(gang.timer);
  gang.timer = boot_timers_.Add(due_us, {TimerKind::kGang, number});
  for (const GangMember& member : gang.members) {
    for (const uint32_t seat : member.seats) attempts_[seat].preempted = true;
    if (!attempts_[member.seats[0]].over) SendNotice(member.seats[0], due_us);
  }
}

void Core::Impl::SendNotice(uint32_t index, int64_t due_us) {
  const LiveAttempt& attempt = attempts_[index];
  const uint64_t session = workers_[attempt.worker].session;
  if (session == 0) return;
  effects_->cancels.push_back({.session = session,
                               .ref = Ref(attempt),
                               .checkpoint_first = true,
                               .preempt = true,
                               .grace_us = std::max<int64_t>(0, due_us - now_.boot_us)});
}

void Core::Impl::NoticeOver(const LiveAttempt& attempt) {
  if (attempt.preempted_for == kNone) return;
  blocked_[attempt.preempted_for].awaited -= rows_[attempt.job].device_count;
}

}  // namespace switchyard::scheduler
