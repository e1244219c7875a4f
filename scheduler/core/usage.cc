// Who used how much: what is counted when attempts are handed out, begin and end, and what follows
// for who goes next.
#include <algorithm>

#include "scheduler/core/core_impl.h"
#include "scheduler/policy/urgent_share.h"

namespace switchyard::scheduler {

void Core::Impl::CountDispatch(uint32_t index) {
  const LiveAttempt& attempt = attempts_[index];
  const LiveJob& row = rows_[attempt.job];
  charges_.Promise(accounts_[row.account].tenant, attempt.expected_us * row.device_count);
  queue_.Occupy(row.account, row.device_count);
  if (attempt.gang == kNone) return HandOutSeat(index);
  for (const GangMember& member : gangs_[attempt.gang].members) {
    for (const uint32_t seat : member.seats) HandOutSeat(seat);
  }
}

void Core::Impl::HandOutSeat(uint32_t index) {
  LiveAttempt& seat = attempts_[index];
  seat.urgent = rows_[seat.job].priority <= kLeastUrgentOfUrgent;
  seat.shape = pools_[seat.pool].shape;
  urgent_.HandOut(seat.shape, seat.urgent);
}

void Core::Impl::CountRestored(const LiveAttempt& attempt) {
  const LiveJob& row = rows_[attempt.job];
  charges_.Resume(accounts_[row.account].tenant, attempt.expected_us * row.device_count);
  queue_.Occupy(row.account, row.device_count);
}

void Core::Impl::CountEnd(const LiveAttempt& attempt) {
  const LiveJob& row = rows_[attempt.job];
  charges_.Fulfil(accounts_[row.account].tenant, attempt.expected_us * row.device_count);
  queue_.Release(row.account, row.device_count);
}

void Core::Impl::CountStart(const LiveAttempt& seat) {
  charges_.Start(accounts_[rows_[seat.job].account].tenant);
  if (seat.shape != kNone) urgent_.Start(seat.shape, seat.urgent, now_.boot_us);
}

void Core::Impl::CountLeave(const LiveAttempt& seat) {
  if (seat.started) charges_.Stop(accounts_[rows_[seat.job].account].tenant);
  if (seat.shape != kNone) urgent_.End(seat.shape, seat.urgent, seat.started, now_.boot_us);
}

void Core::Impl::CountUnseenRun(const LiveAttempt& seat, int64_t run_us) {
  charges_.Use(accounts_[rows_[seat.job].account].tenant, run_us);
  if (seat.shape != kNone) urgent_.Use(seat.shape, seat.urgent, run_us, now_.boot_us);
}

void Core::Impl::RestorePolicyState(const PolicyState& state, const Now& now) {
  now_ = now;
  charges_.SetTime(now);
  charges_.Restore(state);
  for (const LearnedRecord& record : state.learned) {
    for (size_t i = 0; i < kinds_.size(); ++i) {
      if (kinds_[i].config.number != record.kind) continue;
      learned_.Restore(static_cast<uint8_t>(i), models_.Intern(record.model),
                       work_shapes_.Intern(record.shape), record);
    }
  }
}

PolicyState Core::Impl::SavePolicyState() const {
  PolicyState state;
  charges_.Save(state);
  for (const Learned::Entry& entry : learned_.entries()) {
    if (!entry.learned) continue;
    LearnedRecord& record = state.learned.emplace_back();
    record.kind = kinds_[entry.kind].config.number;
    record.model = models_.Text(entry.model);
    record.shape = work_shapes_.Text(entry.shape);
    record.run_us = entry.run_us;
    record.gap_us = entry.gap_us;
    // Newest first: `next_peak` is the oldest of the ring.
    for (size_t back = 1; back <= Learned::kPeaksKept; ++back) {
      const int64_t peak =
          entry.peaks[(entry.next_peak + Learned::kPeaksKept - back) % Learned::kPeaksKept];
      if (peak > 0) record.peaks.push_back(peak);
    }
  }
  return state;
}

void Core::Impl::SweepCharges() {
  if (charges_.Sweep()) {
    for (uint32_t i = 0; i < accounts_.tenants(); ++i) queue_.TenantChanged(i);
  }
  for (const uint32_t tenant : charges_.TakeTurned()) queue_.TenantChanged(tenant);
}

void Core::Impl::InsteadOfUrgent(uint32_t& best_group, Candidate& best) {
  const bool gang = queue_.Key(best_group).device_count > 1;
  const uint32_t shape =
      gang ? shapes_[best_group].shapes.front() : pools_[ChoosePool(best_group, best)].shape;
  if (!urgent_.HadItsShare(shape, now_.boot_us)) return;
  Candidate other;
  Candidate candidate;
  uint32_t other_group = kNone;
  for (uint32_t group = queue_.NextOffered(0); group != kNone;
       group = queue_.NextOffered(group + 1)) {
    if (!queue_.Best(group, candidate, /*urgent=*/false)) continue;
    if (other_group != kNone && !(candidate.place < other.place)) continue;
    RefreshShapes(group);
    if (!HasRoom(group, candidate)) continue;
    const auto& shapes = shapes_[group].shapes;
    if (std::find(shapes.begin(), shapes.end(), shape) == shapes.end()) continue;
    other = candidate;
    other_group = group;
  }
  if (other_group == kNone) return;
  // It takes the turn of the urgent one, on the worker too: there the lowest level starts first.
  other.place.level = best.place.level;
  best = other;
  best_group = other_group;
}

bool Core::Impl::UrgentHadItsShare(uint32_t group) const {
  const auto& shapes = shapes_[group].shapes;
  return !shapes.empty() && std::all_of(shapes.begin(), shapes.end(), [this](uint32_t shape) {
    return urgent_.HadItsShare(shape, now_.boot_us);
  });
}

}  // namespace switchyard::scheduler
