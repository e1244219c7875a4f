// Who runs next, and where; and what is called back for it.
#include <algorithm>

#include "absl/strings/match.h"
#include "scheduler/core/core_impl.h"
#include "scheduler/policy/assign_ahead.h"

namespace switchyard::scheduler {
namespace {

// So that a drain stays short when a thousand workers attach at once; the rest follows in the next.
constexpr int kPlacementsPerDrain = 4096;
// Held attempts looked at for one to recall. The others are called back when they are stale.
constexpr int kRecallLooks = 64;

}  // namespace

void Core::Impl::Place() {
  ReviewReservations();
  int placed = 0;
  while (placed < kPlacementsPerDrain && PlaceOne()) ++placed;
  more_to_place_ = placed == kPlacementsPerDrain;
  recall_at_us_ = kNever;
  if (!more_to_place_ && !queue_.empty()) RecallForBlocked();
}

void Core::Impl::FindShapes(uint32_t group) {
  if (group >= shapes_.size()) {
    shapes_.resize(queue_.groups());
    blocked_.resize(queue_.groups());
  }
  Fitting& fitting = shapes_[group];
  const GroupKey& key = queue_.Key(group);
  const std::string& request = devices_.Text(key.device);
  const JobClass job_class = kinds_[key.kind].config.job_class;
  for (; fitting.known < pools_.shapes(); ++fitting.known) {
    const auto& shape = pools_.Name(fitting.known);
    if (shape.job_class != job_class || (shape.kinds >> key.kind & 1) == 0) continue;
    const bool fits =
        job_class == JobClass::kGeneral || DeviceMatches(request, devices_.Text(shape.device));
    if (fits) fitting.shapes.push_back(fitting.known);
  }
  // Of equally loaded places a GPU is the better one: ChoosePool takes the first.
  std::stable_partition(fitting.shapes.begin(), fitting.shapes.end(), [this](uint32_t shape) {
    return absl::StartsWith(devices_.Text(pools_.Name(shape).device), "cuda");
  });
}

uint32_t Core::Impl::StepMask(uint32_t group) const {
  // A job of unknown length is never made to wait on a worker.
  return learned_.ExpectedRun(queue_.Key(group).kind, 0) > 0 ? ~0u : kStartsAtOnceMask;
}

bool Core::Impl::SomeRoom(uint32_t group) const {
  const uint32_t mask = StepMask(group);
  const auto& shapes = shapes_[group].shapes;
  return std::any_of(shapes.begin(), shapes.end(),
                     [&](uint32_t shape) { return pools_.BestStep(shape, mask) >= 0; });
}

bool Core::Impl::HasRoom(uint32_t group, const Candidate& candidate) {
  if (queue_.Key(group).device_count > 1) return GangFits(group, candidate);
  const int64_t need_bytes = NeedOf(rows_[candidate.job]);
  const uint32_t mask = StepMask(group);
  for (const uint32_t shape : shapes_[group].shapes) {
    if (pools_.Find(shape, mask, need_bytes) == kNone) continue;
    if (pools_.Find(shape, mask & GateMask(shape, group, candidate), need_bytes) != kNone)
      return true;
  }
  return false;
}

bool Core::Impl::PlaceOne() {
  Candidate best;
  Candidate candidate;
  uint32_t best_group = kNone;
  Candidate gang;  // The best that finds no place and nothing is kept for.
  uint32_t gang_group = kNone;
  for (uint32_t group = queue_.NextOffered(0); group != kNone;
       group = queue_.NextOffered(group + 1)) {
    RefreshShapes(group);
    const bool gangs = queue_.Key(group).device_count > 1;
    // Mostly all places are taken: seen without a look at who waits.
    if (!gangs && !SomeRoom(group)) continue;
    if (!queue_.Best(group, candidate)) continue;
    if (best_group != kNone && !(candidate.place < best.place)) continue;
    // Its need was learned anew since it was queued: to be looked at among its like.
    if (Regroup(candidate.job)) return true;
    if (!HasRoom(group, candidate)) {
      if (!gangs || (gang_group != kNone && !(candidate.place < gang.place))) continue;
      if (!MayReserve(group, candidate)) continue;
      gang = candidate;
      gang_group = group;
      continue;
    }
    best = candidate;
    best_group = group;
  }
  if (gang_group != kNone && (best_group == kNone || gang.place < best.place)) {
    Reserve(gang_group, gang);
    return true;
  }
  if (best_group == kNone) return false;
  if (best.place.level <= kLeastUrgentOfUrgent) InsteadOfUrgent(best_group, best);
  if (queue_.Key(best_group).device_count > 1) {
    if (DispatchGang(best_group, best.job, best.place.level)) ReleaseReservation(best_group);
  } else {
    Dispatch(best.job, ChoosePool(best_group, best), best.place.level);
  }
  return true;
}

uint32_t Core::Impl::ChoosePool(uint32_t group, const Candidate& candidate) {
  const auto& shapes = shapes_[group].shapes;
  const LiveJob& row = rows_[candidate.job];
  const int64_t need_bytes = NeedOf(row);
  const uint32_t resident = pools_.WithModel(row.model, need_bytes, [&](uint32_t shape) {
    return std::find(shapes.begin(), shapes.end(), shape) != shapes.end() &&
           GateMask(shape, group, candidate) != 0;
  });
  if (resident != kNone) return resident;
  const uint32_t mask = StepMask(group);
  uint32_t best = kNone;
  for (const uint32_t shape : shapes) {
    const uint32_t pool = pools_.Find(shape, mask & GateMask(shape, group, candidate), need_bytes);
    if (pool == kNone || (best != kNone && pools_[pool].step >= pools_[best].step)) continue;
    best = pool;
  }
  return best;
}

void Core::Impl::Dispatch(uint32_t job, uint32_t pool, int level) {
  LiveJob& row = rows_[job];
  queue_.Remove(job, now_.wall_us);
  const uint32_t index = attempts_.Add();
  LiveAttempt& attempt = attempts_[index];
  FillAttempt(job, level, attempt);
  attempt.device = pools_[pool].device;
  row.attempt = index;
  row.reason = Reason::kAssigned;
  const uint32_t worker = pools_[pool].worker;
  Link(worker, index);
  pools_.Enter(pool, index);
  ExpectEnd(index);
  pools_.UsedModel(pool, row.model);
  ArmHeld(pool);
  CountDispatch(index);
  MarkStored(job);
  Assign(attempt, worker);
}

void Core::Impl::FillAttempt(uint32_t job, int level, LiveAttempt& attempt) {
  const LiveJob& row = rows_[job];
  JobCold& cold = Cold(job);
  const Kind& kind = kinds_[row.kind];
  attempt.job = job;
  attempt.number = ++cold.attempt_count;
  attempt.fencing = {config_.epoch, ++dispatches_};
  attempt.dispatch_us = now_.wall_us;
  attempt.dispatch_boot_us = now_.boot_us;
  attempt.expected_us = learned_.ExpectedRun(row.kind, row.model);
  attempt.granted_bytes = NeedOf(row);
  attempt.no_progress_us = NoProgressOf(row);
  attempt.level = static_cast<uint8_t>(level);
  attempt.rank = AssignmentRank(level, attempt.fencing.counter);
  if (kind.config.checkpoints) attempt.resumed_from = cold.checkpoint;
  const int64_t since_us = std::max({row.create_us, cold.not_before_us, cold.retry_us});
  cold.timings.queued_us = std::max<int64_t>(0, now_.wall_us - since_us);
}

void Core::Impl::Assign(const LiveAttempt& attempt, uint32_t worker) {
  const LiveJob& row = rows_[attempt.job];
  AssignAttempt& assignment = effects_->assignments.emplace_back();
  assignment.session = workers_[worker].session;
  assignment.ref = Ref(attempt);
  assignment.job_class = kinds_[row.kind].config.job_class;
  assignment.device = devices_.Text(attempt.device);
  assignment.rank = attempt.rank;
  assignment.resume_from = attempt.resumed_from;
  assignment.memory_bytes = attempt.granted_bytes;
  assignment.no_progress_us = attempt.no_progress_us;
  assignment.batch_limit = row.cold->batch_limit;
  if (!config_.bugs.double_dispatch) return;
  for (const auto& [name, other] : worker_names_) {
    if (other == worker || workers_[other].session == 0) continue;
    AssignAttempt twice = effects_->assignments.back();
    twice.session = workers_[other].session;
    effects_->assignments.push_back(std::move(twice));
    return;
  }
}

void Core::Impl::ArmHeld(uint32_t pool) {
  Pool& place = pools_[pool];
  if (place.held_timer != kNone || place.held_head == kNone) return;
  const int64_t stale_us = StaleAfter(config_.ahead_window_us);
  const int64_t due_us = attempts_[place.held_head].dispatch_boot_us + stale_us;
  place.held_timer = boot_timers_.Add(std::max(due_us, now_.boot_us + 1), {TimerKind::kHeld, pool});
}

void Core::Impl::OnHeldTimer(uint32_t pool) {
  Pool& place = pools_[pool];
  place.held_timer = kNone;
  if (place.held_head == kNone) return;
  const int64_t stale_us = StaleAfter(config_.ahead_window_us);
  // Behind busy slots they wait in vain: better placed anew. With a free slot they are on their
  // way, or the worker does not work: that is given a lease's time.
  const bool behind = place.running >= place.limit;
  const int64_t patience_us = behind ? stale_us : config_.lease_us;
  bool recalled = false;
  for (uint32_t i = place.held_head; i != kNone; i = attempts_[i].next_held) {
    if (now_.boot_us - attempts_[i].dispatch_boot_us < patience_us) break;
    // Of a gang all are on their way or none.
    if (behind && attempts_[i].gang != kNone) continue;
    SendRecall(i);
    recalled = true;
  }
  if (recalled && behind) {
    place.stalled = true;
    pools_.Refresh(pool);
  }
  const int64_t oldest_us = attempts_[place.held_head].dispatch_boot_us;
  const int64_t due_us = std::max(oldest_us, now_.boot_us) + stale_us;
  place.held_timer = boot_timers_.Add(due_us, {TimerKind::kHeld, pool});
}

void Core::Impl::OnAttemptTimer(uint32_t index) {
  LiveAttempt& attempt = attempts_[index];
  attempt.timer = kNone;
  if (attempt.cancelled || attempt.recalled) {
    // Asked a lease ago and not answered: what it says is no longer worth much. Made to attach anew
    // it tells all.
    return Disconnect(attempt.worker);
  }
  if (rows_[attempt.job].ending == Ending::kStop || attempt.preempted)
    return SendCancel(index, /*checkpoint_first=*/false);
  const Ending ending = EndNow(attempt);
  return ending == Ending::kNone ? ArmTimeout(index) : RequestEnd(attempt.job, ending);
}

void Core::Impl::RecallForBlocked() {
  Candidate best;
  for (uint32_t group = queue_.NextOffered(0); group != kNone;
       group = queue_.NextOffered(group + 1)) {
    if (!queue_.Best(group, best)) continue;
    RefreshShapes(group);
    if (!EndTooLarge(group, best)) continue;
    if (best.place.level <= kLeastUrgentOfUrgent && UrgentHadItsShare(group)) continue;
    Blocked& blocked = blocked_[group];
    const JobId job = rows_[best.job].id;
    if (blocked.job != job) {
      blocked.job = job;
      blocked.since_us = now_.boot_us;
    }
    EvictFor(group, rows_[best.job]);
    PreemptFor(group, best);
    const uint32_t worst = WorstHeld(group, best);
    if (worst == kNone) continue;
    if (now_.boot_us - blocked.since_us >= config_.ahead_window_us) {
      SendRecall(worst);
      blocked.since_us = now_.boot_us;
    }
    recall_at_us_ = std::min(recall_at_us_, blocked.since_us + config_.ahead_window_us);
  }
}

bool Core::Impl::RecallHelps(uint32_t shape, uint32_t group, const Candidate& waiting) {
  if (pools_.AheadPools(shape) == 0) return false;
  if (queue_.Key(group).device_count > 1)
    return HoldsReservation(group) && IsGpu(shape) == GangOnGpus(group);
  // Where it may not wait ahead itself, because a gang is to have the place, others' room is none.
  return (GateMask(shape, group, waiting) & ~kStartsAtOnceMask) != 0;
}

uint32_t Core::Impl::WorstHeld(uint32_t group, const Candidate& waiting) {
  const auto& shapes = shapes_[group].shapes;
  const auto ahead = [this](uint32_t shape) { return pools_.AheadPools(shape) > 0; };
  if (std::none_of(shapes.begin(), shapes.end(), ahead)) return kNone;
  int looks = 0;
  for (int worse = kLeastUrgentPriority; worse > waiting.place.level; --worse) {
    for (const uint32_t shape : shapes) {
      if (pools_.HeldAt(shape, worse) == 0 || !RecallHelps(shape, group, waiting)) continue;
      for (const uint32_t number : pools_.PoolsOf(shape)) {
        const Pool& pool = pools_[number];
        // One answer at a time: it may make the room that is wanted.
        if (!pool.ahead || pool.held_by_level[worse] == 0 || pool.recalls > 0 || !pool.open)
          continue;
        for (uint32_t i = pool.held_tail; i != kNone; i = attempts_[i].previous_held) {
          const LiveAttempt& attempt = attempts_[i];
          if (attempt.level != worse || attempt.cancelled || attempt.gang != kNone) continue;
          // Short of memory even then, it would wait on and what was recalled come back.
          if (MemoryAfter(attempt, waiting.job)) return i;
          if (++looks == kRecallLooks) return kNone;
        }
      }
    }
  }
  return kNone;
}

}  // namespace switchyard::scheduler
