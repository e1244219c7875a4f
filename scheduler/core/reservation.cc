// What is kept for gangs, and who may use it until they start. See reservation.h.
#include "scheduler/core/reservation.h"

#include <algorithm>

#include "scheduler/core/core_impl.h"

namespace switchyard::scheduler {
namespace {

// Larger than any job: all that is expected free with the gang's last device is looked at.
constexpr uint32_t kMostSpare = 1024;

}  // namespace

void Core::Impl::ExpectEnd(uint32_t index) {
  const LiveAttempt& attempt = attempts_[index];
  const LiveJob& row = rows_[attempt.job];
  // As far as is known by now: it may have been dispatched before anything was.
  const int64_t expected_us = ExpectedRun(row);
  const bool overdue = attempt.started && now_.boot_us - attempt.start_boot_us > kSoonUs;
  const bool brief = expected_us > 0 && expected_us < kSoonUs && !overdue;
  if (brief && attempt.expected_end_us == 0) return;
  const int64_t start_us = attempt.started ? attempt.start_boot_us : attempt.dispatch_boot_us;
  pools_.ExpectEnd(index, ExpectedEnd(start_us, expected_us, TimeoutOf(row), now_.boot_us));
}

uint32_t Core::Impl::GateOf(uint32_t shape) const {
  return shape < gates_.size() ? gates_[shape] : kNone;
}

void Core::Impl::SetGates(const Reservation& reservation, uint32_t to) {
  gates_.resize(pools_.shapes(), kNone);
  const bool gpus = GangOnGpus(reservation.group);
  for (const uint32_t shape : shapes_[reservation.group].shapes) {
    if (IsGpu(shape) == gpus || to == kNone) gates_[shape] = to;
  }
}

// Numbers of reservations are places in the list: few, and rebuilt when one goes.
void Core::Impl::RebuildGates() {
  gates_.assign(pools_.shapes(), kNone);
  for (uint32_t i = 0; i < reservations_.size(); ++i) SetGates(reservations_[i], i);
}

void Core::Impl::ReviewReservations() {
  if (reservations_.empty()) return;
  Candidate best;
  for (Reservation& held : reservations_) {
    const uint32_t needed = queue_.Key(held.group).device_count;
    RefreshShapes(held.group);
    if (!queue_.Best(held.group, best) || RoomOf(held.group).open < needed) {
      held.group = kNone;
      continue;
    }
    held.place = best.place;
    // Waiting is looked at now and then, and a stream when its oldest job changes: of two jobs that
    // grow old together one may be raised first. The gang is not to lose its turn by that.
    held.place.level = std::min(held.place.level, queue_.LevelNow(best.job, now_.wall_us));
  }
  std::erase_if(reservations_, [](const Reservation& held) { return held.group == kNone; });
  RebuildGates();
}

bool Core::Impl::MayReserve(uint32_t group, const Candidate& waiting) {
  if (RoomOf(group).open < queue_.Key(group).device_count) return false;
  for (const Reservation& held : reservations_) {
    if (held.group == group) return false;
    if (Overlap(group, held.group) && !held.ComesBehind(waiting.place)) return false;
  }
  return true;
}

bool Core::Impl::Overlap(uint32_t group, uint32_t other) const {
  const auto& shapes = shapes_[group].shapes;
  const auto& others = shapes_[other].shapes;
  return std::any_of(shapes.begin(), shapes.end(), [&](uint32_t shape) {
    return std::find(others.begin(), others.end(), shape) != others.end();
  });
}

void Core::Impl::Reserve(uint32_t group, const Candidate& waiting) {
  std::erase_if(reservations_, [&](const Reservation& held) { return Overlap(group, held.group); });
  reservations_.push_back({.group = group, .place = waiting.place});
  RebuildGates();
}

void Core::Impl::ReleaseReservation(uint32_t group) {
  const auto held =
      std::find_if(reservations_.begin(), reservations_.end(),
                   [&](const Reservation& reservation) { return reservation.group == group; });
  if (held == reservations_.end()) return;
  reservations_.erase(held);
  RebuildGates();
}

const GangStart& Core::Impl::StartOf(Reservation& held) {
  if (held.version == pools_.version() && held.at_us == now_.boot_us) return held.start;
  const GangRoom room = RoomOf(held.group);
  held.start = EarliestStart(
      held.group,
      {.needed = queue_.Key(held.group).device_count, .free = room.free, .soon = room.soon},
      GangOnGpus(held.group));
  held.version = pools_.version();
  held.at_us = now_.boot_us;
  return held.start;
}

GangStart Core::Impl::EarliestStart(uint32_t group, const GangSupply& supply, bool gpus) {
  const JobClass job_class = kinds_[queue_.Key(group).kind].config.job_class;
  auto& ends = pools_.ends().Of(job_class, gpus);
  // What takes longer than expected is expected anew.
  while (!ends.empty() && ends.begin()->first <= now_.boot_us) ExpectEnd(ends.begin()->second);
  const auto& shapes = shapes_[group].shapes;
  auto next = ends.begin();
  ++walk_;
  return ExpectedStart(supply, kMostSpare, now_.boot_us, [&] {
    for (; next != ends.end(); ++next) {
      Pool& pool = pools_[attempts_[next->second].pool];
      if (pool.walk == walk_ || !pool.open || pools_.IsFree(pool)) continue;
      if (std::find(shapes.begin(), shapes.end(), pool.shape) == shapes.end()) continue;
      pool.walk = walk_;
      return (next++)->first;
    }
    return kNever;
  });
}

bool Core::Impl::HoldsReservation(uint32_t group) const {
  return std::any_of(reservations_.begin(), reservations_.end(),
                     [&](const Reservation& held) { return held.group == group; });
}

int64_t Core::Impl::ExpectedRun(const LiveJob& row) const {
  return learned_.ExpectedRun(row.kind, row.model);
}

int64_t Core::Impl::RunOf(uint32_t job) const {
  const int64_t expected_us = ExpectedRun(rows_[job]);
  return std::min(expected_us > 0 ? expected_us : kNever, TimeoutOf(rows_[job]));
}

bool Core::Impl::MayBackfillInto(Reservation& held, const Candidate& candidate) {
  if (config_.bugs.backfill_ignores_reservation || held.ComesBehind(candidate.place)) return true;
  const uint32_t devices = rows_[candidate.job].device_count;
  return MayBackfill(StartOf(held), devices, RunOf(candidate.job), now_.boot_us);
}

uint32_t Core::Impl::GateMask(uint32_t shape, uint32_t group, const Candidate& candidate) {
  if (reservations_.empty()) return ~0u;
  const uint32_t gate = GateOf(shape);
  if (gate == kNone || reservations_[gate].group == group) return ~0u;
  Reservation& held = reservations_[gate];
  // Nothing waits ahead on a device that is wanted: it would never become free, and the gang's
  // start would be computed without what comes back from there.
  return MayBackfillInto(held, candidate) ? kStartsAtOnceMask : 0;
}

bool Core::Impl::MayTakeReserved(uint32_t group, const Candidate& candidate) {
  for (Reservation& held : reservations_) {
    if (held.group == group || !Overlap(group, held.group)) continue;
    if (!MayBackfillInto(held, candidate)) return false;
  }
  return true;
}

bool Core::Impl::KeptForGang(uint32_t group) const {
  for (const uint32_t shape : shapes_[group].shapes) {
    const uint32_t gate = GateOf(shape);
    if (gate != kNone && reservations_[gate].group != group && pools_.FreePools(shape) > 0)
      return true;
  }
  return false;
}

}  // namespace switchyard::scheduler
