// The runners' side of the agent: starts, reports, ends, and what time does to them.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/id/job_id.h"
#include "common/log/log.h"
#include "common/status/error.h"
#include "worker/agent/agent.h"
#include "worker/report/report.h"

namespace switchyard::worker {

using ::switchyard::worker::v1::AttemptEvents;
using ::switchyard::worker::v1::AttemptReport;
using ::switchyard::worker::v1::Finished;
using ::switchyard::worker::v1::FromRunner;
using ::switchyard::worker::v1::Started;
using ::switchyard::worker::v1::ToRunner;

namespace {

// A serving runner that lived this long is started again at once; else the wait doubles up to the
// longest.
constexpr absl::Duration kStableRun = absl::Seconds(10);
constexpr absl::Duration kFirstDelay = absl::Milliseconds(50);
constexpr absl::Duration kLongestDelay = absl::Milliseconds(800);

// Kinds that hardly need any are not what filled the memory.
bool HoldsMemory(const KindTraits* kind) { return kind != nullptr && kind->name != "noop"; }

}  // namespace

ToRunner Agent::FirstFrame() {
  ToRunner frame;
  frame.set_lease_expiry_boottime_ns(
      static_cast<uint64_t>(absl::ToInt64Nanoseconds(lease_.expiry())));
  *frame.mutable_limits() = limits_;
  if (budget_.sequence() != 0) {
    *frame.mutable_serving_budget() = budget_;
    frame.mutable_serving_budget()->set_sequence(budget_number_);
  }
  return frame;
}

void Agent::StartServing() {
  const absl::Duration now = clock_.BootTime();
  serving_ = runners_.Start(RunnerRole::kServing, serving_delay_);
  serving_started_ = now + serving_delay_;
  runner_states_[serving_] = RunnerState{.sign_of_life = serving_started_};
  ToRunner frame = FirstFrame();
  for (auto& [key, attempt] : attempts_) {
    if (attempt.stage != Stage::kGiven || Own(attempt)) continue;
    attempt.runner = serving_;
    *frame.add_start() = attempt.assignment;
  }
  runners_.Send(serving_, frame);
}

void Agent::StartOwnWhatMay() {
  while (const std::optional<AttemptKey> key = queue_.TakeNext()) {
    Attempt& attempt = *Find(*key);
    attempt.stage = Stage::kGiven;
    attempt.runner = runners_.Start(RunnerRole::kOwn, absl::ZeroDuration());
    runner_states_[attempt.runner] = RunnerState{.own = *key, .sign_of_life = clock_.BootTime()};
    ToRunner frame = FirstFrame();
    *frame.add_start() = attempt.assignment;
    runners_.Send(attempt.runner, frame);
  }
}

void Agent::OnFrame(RunnerId runner, FromRunner& frame) {
  MutexLock lock(mutex_);
  const auto state = runner_states_.find(runner);
  if (state == runner_states_.end()) return;
  if (frame.has_hello()) {
    state->second.sign_of_life = clock_.BootTime();
    OnHello(runner, frame.hello());
  }
  if (frame.has_health()) {
    state->second.sign_of_life = clock_.BootTime();
    state->second.memory_used_bytes = frame.health().memory_used_bytes();
  }
  if (frame.has_serving() && runner == serving_)
    OnServingState(std::move(*frame.mutable_serving()));
  for (AttemptEvents& events : *frame.mutable_events()) OnEvents(events);
  for (AttemptReport& report : *frame.mutable_reports()) OnReport(report);
}

void Agent::OnHello(RunnerId runner, const ::switchyard::worker::v1::RunnerHello& hello) {
  LogInfo("runner started", {{"runner", runner}, {"pid", hello.pid()}, {"device", hello.device()}});
  if (runner != serving_) return;
  if (!ready_) {
    kinds_.assign(hello.kinds().begin(), hello.kinds().end());
    device_.set_libtorch_version(hello.libtorch_version());
    device_.set_cuda_version(hello.cuda_version());
  }
  ready_ = true;
  wake_();
}

void Agent::OnReport(AttemptReport& report) {
  const AttemptKey key = KeyOf(report.ref());
  Attempt* attempt = Find(key);
  if (attempt == nullptr || attempt->end != nullptr) return;
  switch (report.report_case()) {
    case AttemptReport::kStarted:
      attempt->stage = Stage::kRunning;
      attempt->started = std::make_unique<Started>(report.started());
      attempt->assignment.clear_job();
      if (!attempt->forgotten) Tell(std::move(report));
      break;
    case AttemptReport::kCheckpoint:
      attempt->checkpoint = std::make_unique<AttemptReport>(report);
      if (!attempt->forgotten) Tell(std::move(report));
      break;
    case AttemptReport::kReturned:
      End(key, *attempt, ReturnedReport(*attempt));
      break;
    case AttemptReport::kFinished:
      OnFinished(key, *attempt, report);
      break;
    default:
      break;
  }
}

void Agent::OnFinished(const AttemptKey& key, Attempt& attempt, AttemptReport& report) {
  std::unique_ptr<AttemptReport> end;
  if (attempt.returns && report.finished().outcome() == ::switchyard::v1::Attempt::CANCELLED) {
    end = ReturnedReport(attempt);
  } else {
    end = std::make_unique<AttemptReport>(std::move(report));
  }
  End(key, attempt, std::move(end));
}

void Agent::End(const AttemptKey& key, Attempt& attempt, std::unique_ptr<AttemptReport> end) {
  if (!Own(attempt)) return Conclude(key, std::move(end));
  // The device is free only when the process is gone.
  attempt.end = std::move(end);
  attempt.stage = Stage::kEnding;
  attempt.kill_at = clock_.BootTime() + options_.exit_grace;
  runners_.Close(attempt.runner);
}

void Agent::OnExit(RunnerId runner, const RunnerExit& exit) {
  MutexLock lock(mutex_);
  const auto found = runner_states_.find(runner);
  if (found == runner_states_.end()) return;
  const AttemptKey own = found->second.own;
  runner_states_.erase(found);
  if (own.job == 0) {
    OnServingExit(runner, exit);
  } else {
    OnOwnExit(own, exit);
  }
}

void Agent::OnServingExit(RunnerId runner, const RunnerExit& exit) {
  ready_ = false;
  if (ending_) return;
  // Its models are gone with it; the next one begins under the same budget.
  ::switchyard::worker::v1::ServingState nothing;
  nothing.set_sequence(budget_number_);
  OnServingState(std::move(nothing));
  ++figures_.runners_lost;
  LogWarning("serving runner lost; starting another",
             {{"runner", runner}, {"how", exit.ToString()}});
  std::vector<AttemptKey> gone;
  for (const auto& [key, attempt] : attempts_) {
    if (attempt.runner != runner || Own(attempt)) continue;
    const bool innocent =
        attempt.stage == Stage::kGiven && !attempt.cancel_asked && !attempt.forgotten;
    if (!innocent && (attempt.stage == Stage::kGiven || attempt.stage == Stage::kRunning))
      gone.push_back(key);
  }
  for (const AttemptKey& key : gone) {
    Attempt& attempt = *Find(key);
    Conclude(key, GoneReport(attempt, exit));
  }
  const bool stable = clock_.BootTime() - serving_started_ >= kStableRun;
  serving_delay_ =
      stable ? absl::ZeroDuration() : std::clamp(serving_delay_ * 2, kFirstDelay, kLongestDelay);
  StartServing();
}

void Agent::OnOwnExit(const AttemptKey& key, const RunnerExit& exit) {
  Attempt* attempt = Find(key);
  if (attempt == nullptr) return;
  queue_.Ended(attempt->assignment.job_class());
  if (attempt->end != nullptr) {
    Conclude(key, std::move(attempt->end));
  } else {
    if (!attempt->returns && !attempt->cancel_asked) ++figures_.runners_lost;
    Conclude(key, GoneReport(*attempt, exit));
  }
  StartOwnWhatMay();
}

std::unique_ptr<AttemptReport> Agent::GoneReport(const Attempt& attempt, const RunnerExit& exit) {
  if (attempt.returns) return ReturnedReport(attempt);
  if (attempt.cancel_asked) return CancelledReport(attempt);
  if (exit.out_of_memory && HoldsMemory(attempt.kind)) return OutOfMemoryReport(attempt, exit);
  return LostReport(attempt, exit);
}

void Agent::Conclude(const AttemptKey& key, std::unique_ptr<AttemptReport> end) {
  Attempt& attempt = *Find(key);
  if (attempt.forgotten) {
    attempts_.erase(key);
    return;
  }
  attempt.end = std::move(end);
  attempt.kill_at = attempt.give_back_at = absl::InfiniteDuration();
  if (attempt.log == nullptr || (attempt.log->stored() && !attempt.storing)) {
    return ReportEnd(attempt);
  }
  attempt.stage = Stage::kStoring;
  if (!attempt.storing) StoreSegments(key, attempt);
}

void Agent::ReportEnd(Attempt& attempt) {
  attempt.stage = Stage::kReported;
  if (attempt.log != nullptr) {
    AttemptReport segments = SegmentsOf(attempt);
    if (attempt.end->has_finished()) {
      for (auto& artifact : *segments.mutable_segments()->mutable_artifacts()) {
        *attempt.end->mutable_finished()->add_outputs() = std::move(artifact);
      }
    } else if (segments.segments().artifacts_size() != 0) {
      Tell(std::move(segments));
    }
  }
  attempt.log.reset();
  attempt.assignment.clear_job();
  if (attempt.end->has_finished()) {
    const size_t outcome = attempt.end->finished().outcome();
    if (outcome < figures_.ended_by_outcome.size()) ++figures_.ended_by_outcome[outcome];
  }
  Tell(*attempt.end);
}

std::unique_ptr<AttemptReport> Agent::ReturnedReport(const Attempt& attempt) {
  auto report = std::make_unique<AttemptReport>();
  *report->mutable_ref() = attempt.assignment.ref();
  report->mutable_returned();
  return report;
}

std::unique_ptr<AttemptReport> Agent::CancelledReport(const Attempt& attempt) {
  auto report = std::make_unique<AttemptReport>();
  *report->mutable_ref() = attempt.assignment.ref();
  Finished* finished = report->mutable_finished();
  SetCancelled(finished);
  if (attempt.started != nullptr) {
    *finished->mutable_start_time() = attempt.started->time();
    *finished->mutable_end_time() = TimestampOf(clock_.Now());
    finished->set_device(attempt.started->device());
    finished->set_device_name(attempt.started->device_name());
  }
  return report;
}

std::unique_ptr<AttemptReport> Agent::LostReport(const Attempt& attempt, const RunnerExit& exit) {
  auto report = CancelledReport(attempt);
  Finished* finished = report->mutable_finished();
  const std::string how = exit.ToString();
  SetFailed(MakeError(absl::StatusCode::kUnavailable, "RUNNER_LOST",
                      absl::StrCat("the runner process ", how), {{"how", how}}),
            finished);
  finished->set_outcome(::switchyard::v1::Attempt::RUNNER_LOST);
  return report;
}

std::unique_ptr<AttemptReport> Agent::OutOfMemoryReport(const Attempt& attempt,
                                                        const RunnerExit& exit) {
  auto report = CancelledReport(attempt);
  SetFailed(OutOfMemoryError(absl::StrCat(
                "the host's memory ran out, and the kernel ended the runner process (it ",
                exit.ToString(),
                "); a smaller batch needs less, or state memory_bytes so that the "
                "job waits for the memory it needs")),
            report->mutable_finished());
  return report;
}

absl::Duration Agent::Tick() {
  MutexLock lock(mutex_);
  const absl::Duration now = clock_.BootTime();
  absl::Duration next = options_.health_interval;
  if (lease_.Expired(now)) {
    ExpireLeases();
  } else {
    next = std::min(next, lease_.expiry() - now);
  }
  ToRunner serving;
  for (auto& [key, attempt] : attempts_) {
    next = std::min(next, TickAttempt(key, attempt, now, &serving));
  }
  SendServing(serving);
  if (now >= next_health_) CheckHealth(now);
  return next;
}

absl::Duration Agent::TickAttempt(const AttemptKey& key, Attempt& attempt, absl::Duration now,
                                  ToRunner* serving) {
  if (attempt.kill_at <= now) {
    LogWarning(
        "killing a runner that did not end in time",
        {{"job", FormatJobId(key.job)}, {"attempt", key.attempt}, {"runner", attempt.runner}});
    attempt.kill_at = absl::InfiniteDuration();
    runners_.Kill(attempt.runner);
  }
  if (attempt.give_back_at <= now) {
    attempt.give_back_at = absl::InfiniteDuration();
    *serving->add_cancel()->mutable_ref() = attempt.assignment.ref();
  }
  if (attempt.store_at <= now && !attempt.storing) StoreSegments(key, attempt);
  if (attempt.progress_waits && attempt.progress_at <= now) TellProgress(attempt);
  const absl::Duration store_at = attempt.storing ? absl::InfiniteDuration() : attempt.store_at;
  const absl::Duration next = std::min({attempt.kill_at, attempt.give_back_at, store_at});
  return (attempt.progress_waits ? std::min(next, attempt.progress_at) : next) - now;
}

void Agent::OnServingState(::switchyard::worker::v1::ServingState state) {
  const bool newest = state.sequence() == budget_number_;
  state.set_sequence(newest ? budget_.sequence() : serving_state_.sequence());
  state.set_device(device_.device());
  serving_state_ = std::move(state);
  serving_changed_ = true;
  wake_();
}

void Agent::ExpireLeases() {
  std::vector<AttemptKey> expired;
  for (const auto& [key, attempt] : attempts_) {
    if (!attempt.forgotten && attempt.stage != Stage::kReported) expired.push_back(key);
  }
  if (expired.empty()) return;
  LogWarning("the lease expired; ending its attempts", {{"attempts", expired.size()}});
  bool serving = false;
  for (const AttemptKey& key : expired) {
    Attempt& attempt = *Find(key);
    ToRunner unused;
    serving = serving || ((attempt.stage == Stage::kGiven || attempt.stage == Stage::kRunning) &&
                          !Own(attempt));
    Forget(key, &unused);
  }
  // What runs there must not go on beside the next attempt of the same job.
  if (serving) runners_.Kill(serving_);
}

void Agent::CheckHealth(absl::Duration now) {
  next_health_ = now + options_.health_interval;
  ToRunner frame;
  frame.set_check_health(true);
  int64_t used = 0;
  for (auto& [runner, state] : runner_states_) {
    used += state.memory_used_bytes;
    if (now - state.sign_of_life > options_.health_limit) {
      LogWarning("a runner gives no sign of life; killing it", {{"runner", runner}});
      runners_.Kill(runner);
    } else {
      runners_.Send(runner, frame);
    }
  }
  if (used != device_.memory_used_bytes()) {
    device_.set_memory_used_bytes(used);
    device_changed_ = true;
    wake_();
  }
}

}  // namespace switchyard::worker
