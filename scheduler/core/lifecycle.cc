// How jobs and attempts begin, change and end.
#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "scheduler/core/core_impl.h"
#include "scheduler/policy/memory_need.h"
#include "scheduler/policy/stuck.h"

namespace switchyard::scheduler {

uint32_t Core::Impl::Find(JobId job) const {
  const auto found = jobs_.find(job);
  return found == jobs_.end() ? kNone : found->second;
}

uint32_t Core::Impl::AddRow(JobId id, uint32_t account) {
  const uint32_t job = rows_.Add();
  rows_[job].id = id;
  rows_[job].account = account;
  accounts_.Join(account);
  jobs_.emplace(id, job);
  return job;
}

void Core::Impl::RemoveRow(uint32_t job) {
  const uint32_t account = rows_[job].account;
  jobs_.erase(rows_[job].id);
  rows_.Remove(job);
  if (!accounts_.Leave(account)) return;
  queue_.Forget(account);
  accounts_.Forget(account);
}

JobCold& Core::Impl::Cold(uint32_t job) {
  LiveJob& row = rows_[job];
  if (row.cold == nullptr) {
    row.cold = std::make_unique<JobCold>();
    // Until now the job's only change was its acceptance.
    row.cold->history.reserve(4);
    const bool blocked = row.state == JobState::kBlocked;
    RecordChange(row, blocked ? JobState::kBlocked : JobState::kQueued,
                 blocked ? Reason::kDependencies : Reason::kNone, row.create_us);
  }
  return *row.cold;
}

void Core::Impl::MarkPublished(uint32_t job) {
  LiveJob& row = rows_[job];
  if (row.listed) return;
  row.listed = true;
  changed_.push_back(job);
}

void Core::Impl::MarkStored(uint32_t job) {
  MarkPublished(job);
  rows_[job].store = true;
}

void Core::Impl::Count(const LiveJob& row, int by) {
  if (row.state == JobState::kQueued) {
    queued_ += by;
    queued_by_priority_[row.priority] += by;
    accounts_.TenantOf(row.account).queued += by;
  } else if (row.state == JobState::kBlocked) {
    blocked_jobs_ += by;
    accounts_.TenantOf(row.account).queued += by;
  } else if (row.state == JobState::kRunning || row.state == JobState::kCancelling) {
    running_ += by;
    accounts_.TenantOf(row.account).running += by;
  }
}

void Core::Impl::SetState(uint32_t job, JobState state, Reason reason) {
  LiveJob& row = rows_[job];
  const bool changes = row.state != state;
  if (changes) {
    Cold(job);
    Count(row, -1);
    row.state = state;
    Count(row, 1);
    RecordChange(row, state, reason, now_.wall_us);
  }
  row.reason = reason;
  MarkPublished(job);
}

void Core::Impl::RecordChange(LiveJob& row, JobState state, Reason reason, int64_t time_us) {
  JobCold& cold = *row.cold;
  if (cold.history.size() == kChangesKept) cold.history.erase(cold.history.begin());
  cold.history.push_back({.number = ++cold.change_count,
                          .state = state,
                          .reason = reason,
                          .time_us = time_us,
                          .attempt = cold.attempt_count});
}

void Core::Impl::EndJob(uint32_t job, JobState state, Reason reason, absl::string_view message,
                        int error_code) {
  LiveJob& row = rows_[job];
  if (row.waits != Waits::kNot) queue_.Remove(job, now_.wall_us);
  JobCold& cold = Cold(job);
  wall_timers_.Cancel(cold.wake_timer);
  wall_timers_.Cancel(cold.expire_timer);
  cold.end_us = now_.wall_us;
  cold.message.assign(message.data(), message.size());
  cold.error_code = error_code;
  SetState(job, state, reason);
  MarkStored(job);
  if (dependencies_.IsAwaited(row.id)) TellDependents(job);
}

void Core::Impl::Enqueue(uint32_t job) {
  LiveJob& row = rows_[job];
  const int64_t not_before_us = row.cold == nullptr ? 0 : row.cold->not_before_us;
  const int64_t retry_us = row.cold == nullptr ? 0 : row.cold->retry_us;
  const int64_t wake_us = std::max(not_before_us, retry_us);
  if (wake_us > now_.wall_us) {
    row.reason = retry_us > now_.wall_us ? Reason::kBackoff : Reason::kNotBefore;
    row.cold->wake_timer = wall_timers_.Add(wake_us, {TimerKind::kWakeJob, job});
    return;
  }
  row.reason = Reason::kLimit;
  row.memory_step = MemoryStep(NeedOf(row));
  queue_.Push(job, now_.wall_us);
}

void Core::Impl::ArmExpiry(uint32_t job) {
  LiveJob& row = rows_[job];
  if (row.cold == nullptr || row.cold->expire_us == 0) return;
  row.cold->expire_timer = wall_timers_.Add(row.cold->expire_us, {TimerKind::kExpireJob, job});
}

void Core::Impl::RequestEnd(uint32_t job, Ending ending) {
  LiveJob& row = rows_[job];
  if (HasEnded(row.state)) return;
  if (row.attempt == kNone) {
    row.ending = ending;
    return EndAsRequested(job);
  }
  // What was asked first counts; only a stop may still become something harder.
  if (row.ending == Ending::kNone || row.ending == Ending::kStop) row.ending = ending;
  if (row.ending != ending) return;
  if (ending == Ending::kCancel || ending == Ending::kStop) {
    SetState(job, JobState::kCancelling, Reason::kNone);
    MarkStored(job);
  }
  SendCancel(row.attempt, ending == Ending::kStop);
}

void Core::Impl::EndAsRequested(uint32_t job) {
  constexpr int kDeadlineExceeded = 4;
  switch (rows_[job].ending) {
    case Ending::kNone:
    case Ending::kCancel:
      return EndJob(job, JobState::kCancelled, Reason::kNone, "cancelled", 0);
    case Ending::kStop:
      return EndJob(job, JobState::kCancelled, Reason::kStopped, "stopped", 0);
    case Ending::kExpire:
      return EndJob(job, JobState::kExpired, Reason::kNone,
                    "its expire_time passed before it ended; submit it again with a later one",
                    kDeadlineExceeded);
    case Ending::kTimeout:
      return EndJob(
          job, JobState::kFailed, Reason::kTimedOut,
          "an attempt ran longer than the job's timeout; raise `timeout` or shorten the work",
          kDeadlineExceeded);
    case Ending::kStuck:
      return EndJob(job, JobState::kFailed, Reason::kStuck,
                    "an attempt showed no progress for its no-progress time; look at its log, or "
                    "raise `no_progress_timeout`",
                    kDeadlineExceeded);
  }
}

AttemptRef Core::Impl::Ref(const LiveAttempt& attempt) const {
  return {rows_[attempt.job].id, attempt.number, attempt.fencing};
}

void Core::Impl::SendCancel(uint32_t index, bool checkpoint_first) {
  const uint32_t gang = attempts_[index].gang;
  if (gang == kNone) return SendCancelTo(index, checkpoint_first);
  for (const GangMember& member : gangs_[gang].members) {
    if (!attempts_[member.seats[0]].over) SendCancelTo(member.seats[0], checkpoint_first);
  }
}

void Core::Impl::SendCancelTo(uint32_t index, bool checkpoint_first) {
  LiveAttempt& attempt = attempts_[index];
  if (!checkpoint_first) {
    // A worker that does not answer within a lease is made to attach anew (OnAttemptTimer).
    attempt.cancelled = true;
    boot_timers_.Cancel(attempt.timer);
    attempt.timer = boot_timers_.Add(now_.boot_us + config_.lease_us, {TimerKind::kAttempt, index});
  }
  const uint64_t session = workers_[attempt.worker].session;
  if (session != 0) effects_->cancels.push_back({session, Ref(attempt), checkpoint_first});
}

void Core::Impl::SendRecall(uint32_t index) {
  if (!IsLead(index)) return;
  LiveAttempt& attempt = attempts_[index];
  const uint64_t session = workers_[attempt.worker].session;
  if (attempt.started || attempt.recalled || attempt.cancelled || session == 0) return;
  attempt.recalled = true;
  if (attempt.held) ++pools_[attempt.pool].recalls;
  boot_timers_.Cancel(attempt.timer);
  attempt.timer = boot_timers_.Add(now_.boot_us + config_.lease_us, {TimerKind::kAttempt, index});
  effects_->recalls.push_back({session, Ref(attempt)});
}

int64_t Core::Impl::TimeoutOf(const LiveJob& row) const {
  const int64_t asked_us = row.cold == nullptr ? 0 : row.cold->timeout_us;
  return asked_us != 0 ? asked_us : kinds_[row.kind].config.default_timeout_us;
}

void Core::Impl::ArmTimeout(uint32_t index) {
  LiveAttempt& attempt = attempts_[index];
  const int64_t due_us = EndDue(attempt);
  if (due_us == kNever) return;
  boot_timers_.Cancel(attempt.timer);
  attempt.timer = boot_timers_.Add(due_us, {TimerKind::kAttempt, index});
}

int64_t Core::Impl::EndDue(const LiveAttempt& attempt) const {
  const int64_t timeout_us = TimeoutOf(rows_[attempt.job]);
  int64_t due_us = kNever;
  if (timeout_us < kNever - attempt.start_boot_us) due_us = attempt.start_boot_us + timeout_us;
  if (attempt.no_progress_us <= 0) return due_us;
  return std::min(due_us, attempt.progress_boot_us + attempt.no_progress_us);
}

Ending Core::Impl::EndNow(const LiveAttempt& attempt) const {
  const LiveJob& row = rows_[attempt.job];
  if (now_.boot_us - attempt.start_boot_us >= TimeoutOf(row)) return Ending::kTimeout;
  const bool still = attempt.no_progress_us > 0 &&
                     now_.boot_us - attempt.progress_boot_us >= attempt.no_progress_us;
  return still ? Ending::kStuck : Ending::kNone;
}

int64_t Core::Impl::NoProgressOf(const LiveJob& row) const {
  return NoProgressLimit({.stated_us = row.cold == nullptr ? 0 : row.cold->no_progress_us,
                          .reports_progress = kinds_[row.kind].config.reports_progress,
                          .usual_gap_us = learned_.ProgressGap(row.kind, row.model)});
}

void Core::Impl::Link(uint32_t worker, uint32_t index) {
  WorkerRow& holder = workers_[worker];
  LiveAttempt& attempt = attempts_[index];
  attempt.worker = worker;
  attempt.previous_of_worker = kNone;
  attempt.next_of_worker = holder.attempts_head;
  if (holder.attempts_head != kNone) attempts_[holder.attempts_head].previous_of_worker = index;
  holder.attempts_head = index;
  ++holder.attempts;
}

void Core::Impl::Unlink(uint32_t index) {
  LiveAttempt& attempt = attempts_[index];
  WorkerRow& holder = workers_[attempt.worker];
  (attempt.previous_of_worker == kNone ? holder.attempts_head
                                       : attempts_[attempt.previous_of_worker].next_of_worker) =
      attempt.next_of_worker;
  if (attempt.next_of_worker != kNone) {
    attempts_[attempt.next_of_worker].previous_of_worker = attempt.previous_of_worker;
  }
  --holder.attempts;
}

void Core::Impl::Describe(const LiveAttempt& attempt, AttemptImage& image) const {
  image.number = attempt.number;
  if (attempt.gang == kNone) {
    image.worker = workers_[attempt.worker].id;
  } else {
    image.members = DescribeMembers(attempt.gang);
    image.worker = image.members[0].worker;
  }
  image.device = devices_.Text(attempt.device);
  image.device_name = devices_.Text(attempt.device_name);
  image.dispatch_us = attempt.dispatch_us;
  image.start_us = attempt.start_us;
  image.fencing = attempt.fencing;
  image.resumed_from = attempt.resumed_from;
  image.memory_granted_bytes = attempt.granted_bytes;
  image.memory_peak_bytes = attempt.peak_bytes;
}

AttemptImage& Core::Impl::EndAttempt(uint32_t index, Outcome outcome) {
  LiveAttempt& attempt = attempts_[index];
  LiveJob& row = rows_[attempt.job];
  JobCold& cold = Cold(attempt.job);
  if (cold.past.size() == kAttemptsKept) cold.past.erase(cold.past.begin());
  AttemptImage& image = cold.past.emplace_back();
  Describe(attempt, image);
  image.outcome = outcome;
  image.end_us = now_.wall_us;
  CountEnd(attempt);
  NoticeOver(attempt);
  if (attempt.gang != kNone) {
    DropGang(attempt.gang);
  } else {
    LeaveSeat(index);
    attempts_.Remove(index);
  }
  row.attempt = kNone;
  return image;
}

void Core::Impl::AttemptOver(uint32_t index, Outcome outcome, const Finished* report) {
  const LiveAttempt& attempt = attempts_[index];
  if (attempt.gang != kNone) return MemberOver(index, outcome, report);
  const bool back = outcome == Outcome::kReturned || outcome == Outcome::kCancelled;
  if (attempt.preempted && back) outcome = Outcome::kPreempted;
  EndAndFollow(index, outcome, attempt.started, report);
}

void Core::Impl::EndAndFollow(uint32_t index, Outcome outcome, bool started,
                              const Finished* report) {
  const uint32_t job = attempts_[index].job;
  LiveJob& row = rows_[job];
  if (row.ending == Ending::kTimeout) outcome = Outcome::kTimedOut;
  if (row.ending == Ending::kStuck) outcome = Outcome::kStuck;
  if (report != nullptr && report->out_of_memory && outcome == Outcome::kFailed)
    outcome = Outcome::kOutOfMemory;
  const uint32_t pool = attempts_[index].pool;
  AttemptImage& image = EndAttempt(index, outcome);
  if (report != nullptr) image.error = report->error;
  if (row.ending != Ending::kNone) return EndAsRequested(job);
  if (outcome == Outcome::kOutOfMemory && report != nullptr) {
    const std::string device = absl::StrCat(image.device, " of ", image.worker);
    return RanOut(job, {pool, image.memory_granted_bytes, device}, *report);
  }
  JobCold& cold = *row.cold;
  EndedAttempt ended{.job = row.id, .outcome = outcome, .started = started};
  if (outcome == Outcome::kWorkerLost || outcome == Outcome::kRunnerLost) {
    // A runner's end is reported by its daemon: the attempt ran, whatever was seen of it.
    ++(started || outcome == Outcome::kRunnerLost ? cold.lost : cold.lost_unstarted);
  } else if (outcome == Outcome::kPreempted) {
    ++cold.preempted;
  } else if (outcome != Outcome::kReturned) {
    ++cold.failed;
  }
  ended.lost = cold.lost;
  ended.lost_unstarted = cold.lost_unstarted;
  ended.failed = cold.failed;
  if (report != nullptr) {
    ended.permanent = report->permanent;
    ended.out_of_memory = report->out_of_memory;
  }
  const uint32_t max_failed =
      cold.max_attempts != 0 ? cold.max_attempts : config_.max_failed_attempts;
  Follow(job,
         DecideRetry(ended, {config_.max_lost_attempts, max_failed, config_.backoff_base_us,
                             config_.backoff_max_us}),
         report);
}

void Core::Impl::Follow(uint32_t job, const RetryDecision& decision, const Finished* report) {
  constexpr int kInternal = 13;
  JobCold& cold = Cold(job);
  MarkStored(job);
  if (decision.retry) {
    cold.retry_us = decision.wait_us == 0 ? 0 : now_.wall_us + decision.wait_us;
    SetState(job, JobState::kQueued, decision.wait_us == 0 ? decision.reason : Reason::kBackoff);
    if (!config_.bugs.lost_retry) Enqueue(job);
    return;
  }
  if (report != nullptr && !report->error.empty()) {
    cold.error = report->error;
    return EndJob(job, JobState::kFailed, decision.reason, report->error_message, 0);
  }
  const bool poison = decision.reason == Reason::kPoison;
  EndJob(job, JobState::kFailed, decision.reason,
         poison ? "its attempts were lost with their runner or worker as often as allowed; the job "
                  "may be what ends them"
                : "its last attempt failed without saying why; look at the worker's log",
         kInternal);
}

}  // namespace switchyard::scheduler
