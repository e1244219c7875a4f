// What workers say became of attempts. A report takes effect only with the fencing number of a live
// attempt of that worker.
#include <algorithm>
#include <utility>

#include "scheduler/core/core_impl.h"

namespace switchyard::scheduler {

uint32_t Core::Impl::FindAttempt(uint32_t worker, const AttemptRef& ref) const {
  const uint32_t job = Find(ref.job);
  if (job == kNone) return kNone;
  uint32_t index = rows_[job].attempt;
  if (index != kNone && attempts_[index].gang != kNone) {
    index = FindMember(attempts_[index].gang, worker);
  }
  if (index == kNone || config_.bugs.no_fence_check) return index;
  const LiveAttempt& attempt = attempts_[index];
  const bool current =
      attempt.number == ref.attempt && attempt.fencing == ref.fencing && attempt.worker == worker;
  return current ? index : kNone;
}

void Core::Impl::On(const WorkerReports& event) {
  const uint32_t worker = WorkerOf(event.session);
  if (worker == kNone) return;
  for (const AttemptReport& report : event.reports) {
    if (!Take(worker, report)) RefuseStale(worker, report);
  }
}

bool Core::Impl::Take(uint32_t worker, const AttemptReport& report) {
  const uint32_t index = FindAttempt(worker, report.ref);
  if (index == kNone) return false;
  const bool ends = std::holds_alternative<Finished>(report.report) ||
                    std::holds_alternative<Returned>(report.report);
  if (ends) effects_->acknowledgements.push_back({workers_[worker].session, report.ref});
  std::visit([&](const auto& one) { Take(index, one); }, report.report);
  return true;
}

void Core::Impl::RefuseStale(uint32_t worker, const AttemptReport& report) {
  const uint64_t session = workers_[worker].session;
  if (std::holds_alternative<Finished>(report.report) ||
      std::holds_alternative<Returned>(report.report)) {
    effects_->acknowledgements.push_back({session, report.ref});
  } else if (!std::holds_alternative<CheckpointStored>(report.report) &&
             !std::holds_alternative<EventsStored>(report.report)) {
    effects_->cancels.push_back({session, report.ref, /*checkpoint_first=*/false});
  }
}

void Core::Impl::Take(uint32_t, const Held&) {}

void Core::Impl::Begin(uint32_t index, int64_t start_us, bool ends) {
  LiveAttempt& attempt = attempts_[index];
  if (attempt.gang != kNone) return BeginMember(index, start_us);
  LiveJob& row = rows_[attempt.job];
  JobCold& cold = Cold(attempt.job);
  // The worker's clock may be off by what it likes; times of a job are in order all the same.
  attempt.start_us =
      std::clamp(start_us, attempt.dispatch_us, std::max(attempt.dispatch_us, now_.wall_us));
  attempt.start_boot_us = attempt.saved_boot_us = attempt.progress_boot_us = now_.boot_us;
  if (cold.start_us == 0) cold.start_us = attempt.start_us;
  cold.timings.dispatched_us = attempt.start_us - attempt.dispatch_us;
  pools_.Start(index);
  CountStart(attempt);
  attempt.recalled = false;
  if (!ends) {
    ExpectEnd(index);
    ProtectVictim(index);
  }
  if (!ends && !attempt.cancelled) {
    boot_timers_.Cancel(attempt.timer);
    ArmTimeout(index);
  }
  if (row.state == JobState::kQueued) SetState(attempt.job, JobState::kRunning, Reason::kNone);
}

void Core::Impl::Take(uint32_t index, const Started& report) {
  LiveAttempt& attempt = attempts_[index];
  if (!attempt.started) Begin(index, report.time_us);
  const bool moved = attempt.gang == kNone && !report.device.empty();
  if (moved) attempt.device = devices_.Intern(report.device);
  if (!report.device_name.empty()) attempt.device_name = devices_.Intern(report.device_name);
  NoteProgress(attempt, report.phase, std::clamp(static_cast<float>(report.progress), 0.0f, 1.0f));
  MarkPublished(attempt.job);
}

void Core::Impl::NoteProgress(LiveAttempt& attempt, Phase phase, float progress) {
  if (phase == attempt.phase && progress == attempt.progress) return;
  attempt.phase = phase;
  attempt.progress = progress;
  const LiveJob& row = rows_[attempt.job];
  const int64_t gap_us = now_.boot_us - attempt.progress_boot_us;
  attempt.progress_boot_us = now_.boot_us;
  if (kinds_[row.kind].config.reports_progress) learned_.LearnProgress(row.kind, row.model, gap_us);
}

void Core::Impl::Take(uint32_t index, const Returned&) {
  AttemptOver(index, Outcome::kReturned, nullptr);
}

void Core::Impl::Take(uint32_t index, const CheckpointStored& report) {
  const uint32_t job = attempts_[index].job;
  attempts_[index].progress_boot_us = now_.boot_us;
  MarkStored(job);
  // A gang goes on from what its first member kept.
  if (attempts_[index].member > 0) return AddMemberOutput(index, report.artifact);
  JobCold& cold = Cold(job);
  WorkSaved(index);
  cold.checkpoint = report.artifact.sha256;
  AddOutput(job, report.artifact);
}

void Core::Impl::Take(uint32_t index, const Finished& report) {
  Outcome outcome = report.outcome;
  if (outcome == Outcome::kReturned) return AttemptOver(index, outcome, nullptr);
  if (attempts_[index].gang != kNone) return TakeMember(index, report);
  if (outcome == Outcome::kUnspecified || outcome == Outcome::kWorkerLost)
    outcome = Outcome::kFailed;
  LiveAttempt& attempt = attempts_[index];
  const uint32_t job = attempt.job;
  if (!attempt.started && (report.start_us != 0 || outcome == Outcome::kSucceeded)) {
    Begin(index, report.start_us, /*ends=*/true);
    // It began before we heard of it; what it says of its run time is believed as far as it can be
    // true.
    const int64_t run_us = std::max<int64_t>(0, report.prepared_us + report.run_us);
    const int64_t unseen_us = std::min(run_us, now_.boot_us - attempt.dispatch_boot_us);
    attempt.start_boot_us -= unseen_us;
    CountUnseenRun(attempt, unseen_us);
  }
  if (!report.device.empty()) attempt.device = devices_.Intern(report.device);
  if (!report.device_name.empty()) attempt.device_name = devices_.Intern(report.device_name);
  attempt.peak_bytes = std::max<int64_t>(0, report.memory_peak_bytes);
  JobCold& cold = Cold(job);
  cold.timings.prepared_us = std::max<int64_t>(0, report.prepared_us);
  cold.timings.run_us = std::max<int64_t>(0, report.run_us);
  cold.timings.stored_us =
      std::max<int64_t>(0, now_.wall_us - std::max(report.end_us, attempt.dispatch_us));
  AddOutputs(job, report.outputs);
  if (outcome == Outcome::kSucceeded) {
    const int64_t possible_us = now_.boot_us - attempt.dispatch_boot_us;
    const LiveJob& row = rows_[job];
    if (cold.batch_limit == 0) learned_.LearnPeak(row.workload, report.memory_peak_bytes);
    learned_.LearnRun(row.kind, row.model,
                      std::min(report.prepared_us + report.run_us, possible_us));
    return Accept(index, report);
  }
  if (rows_[job].ending == Ending::kStop) cold.result = report.result;
  AttemptOver(index, outcome, &report);
}

void Core::Impl::Accept(uint32_t index, const Finished& report) {
  const uint32_t job = attempts_[index].job;
  LiveJob& row = rows_[job];
  // A cancel that was accepted stays one, though the work was done when it came.
  if (row.ending != Ending::kNone && row.ending != Ending::kStop) {
    return AttemptOver(index, Outcome::kCancelled, nullptr);
  }
  EndAttempt(index, Outcome::kSucceeded);
  row.cold->result = report.result;
  if (row.ending == Ending::kStop) return EndAsRequested(job);
  Succeed(job);
}

void Core::Impl::Succeed(uint32_t job) {
  const LiveJob& row = rows_[job];
  EndJob(job, JobState::kSucceeded, Reason::kNone, "", 0);
  if (kinds_[row.kind].config.registers_model) effects_->registrations.push_back(row.id);
}

}  // namespace switchyard::scheduler
