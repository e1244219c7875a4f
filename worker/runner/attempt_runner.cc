#include "worker/runner/attempt_runner.h"

#include <new>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/kind/kind.h"
#include "common/status/error.h"
#include "worker/report/report.h"

namespace switchyard::worker {

using ::switchyard::worker::v1::Assignment;
using ::switchyard::worker::v1::AttemptRef;
using ::switchyard::worker::v1::AttemptReport;
using ::switchyard::worker::v1::CancelAttempt;
using ::switchyard::worker::v1::Finished;
using ::switchyard::worker::v1::ToRunner;

namespace {

// What an executor throws, as a status: its first line, since LibTorch's messages go on with a
// stack trace.
absl::Status FromException(const char* what) {
  const absl::string_view text(what);
  return MakeError(absl::StatusCode::kInternal, "EXECUTOR_EXCEPTION",
                   text.substr(0, text.find('\n')));
}

template <typename Call>
auto Guarded(Call call) -> decltype(call()) {
  try {
    return call();
  } catch (const std::bad_alloc&) {
    return OutOfMemoryError(
        "the attempt needed more memory than its runner may have; ask for less (a smaller batch)");
  } catch (const std::exception& exception) {
    return FromException(exception.what());
  } catch (...) {
    return FromException("something that is no std::exception was thrown");
  }
}

}  // namespace

struct AttemptRunner::Attempt {
  AttemptKey key;
  Assignment assignment;
  api::Job job;
  const KindTraits* kind = nullptr;
  bool started = false;
  bool settled = false;  // Its end was reported.
  absl::Time start;
  absl::Duration begun;     // BootTime of the start.
  absl::Duration prepared;  // Time Prepare took.
  Timers::Id hold = 0;
  Timers::Id timeout = 0;
  std::unique_ptr<TimedTask> timed;
  std::unique_ptr<Executor> executor;      // Either this or `timed`.
  std::unique_ptr<RunnerContext> context;  // With `executor`.
};

AttemptRunner::AttemptRunner(const RunnerSurroundings& surroundings, Timers& timers,
                             KindFactories factories, bool own, std::function<void()> stuck)
    : surroundings_(surroundings),
      timers_(timers),
      factories_(std::move(factories)),
      own_(own),
      stuck_(std::move(stuck)) {}

AttemptRunner::~AttemptRunner() {
  MutexLock lock(mutex_);
  for (auto& [key, attempt] : attempts_) {
    timers_.Cancel(attempt->hold);
    timers_.Cancel(attempt->timeout);
    if (attempt->context != nullptr) attempt->context->Cancel();
  }
  while (threads_ != 0) idle_.Wait(mutex_);
}

void AttemptRunner::Apply(ToRunner& frame) {
  Reports reports;
  {
    MutexLock lock(mutex_);
    if (frame.limits_size() != 0) queue_.SetLimits(frame.limits());
    for (Assignment& assignment : *frame.mutable_start()) Hold(assignment);
    for (const CancelAttempt& cancel : frame.cancel()) Cancel(cancel, &reports);
    for (const AttemptRef& ref : frame.recalls()) Recall(ref, &reports);
    StartWhatMay(&reports);
  }
  Send(std::move(reports));
}

bool AttemptRunner::HoldsAttempts() {
  MutexLock lock(mutex_);
  return !attempts_.empty();
}

void AttemptRunner::WaitIdle() {
  MutexLock lock(mutex_);
  while (!attempts_.empty() || threads_ != 0) idle_.Wait(mutex_);
}

void AttemptRunner::Hold(Assignment& assignment) {
  const AttemptKey key = KeyOf(assignment.ref());
  AttemptPtr& attempt = attempts_[key];
  if (attempt != nullptr) return;
  attempt = std::make_shared<Attempt>();
  attempt->key = key;
  attempt->assignment.Swap(&assignment);
  queue_.Add(key, attempt->assignment.job_class(), attempt->assignment.rank());
}

void AttemptRunner::Recall(const AttemptRef& ref, Reports* reports) {
  const AttemptKey key = KeyOf(ref);
  if (!queue_.Remove(key)) return;
  attempts_.erase(key);
  AttemptReport& report = reports->emplace_back();
  *report.mutable_ref() = ref;
  report.mutable_returned();
}

void AttemptRunner::Cancel(const CancelAttempt& cancel, Reports* reports) {
  const auto found = attempts_.find(KeyOf(cancel.ref()));
  if (found == attempts_.end()) return;
  const AttemptPtr attempt = found->second;
  Finished cancelled;
  SetCancelled(&cancelled);
  if (queue_.Remove(attempt->key)) {
    Settle(*attempt, std::move(cancelled), reports);
    attempts_.erase(attempt->key);
  } else if (attempt->timed != nullptr) {
    Settle(*attempt, std::move(cancelled), reports);
    Remove(*attempt);
  } else if (cancel.checkpoint_first() && (attempt->kind->checkpoints || cancel.preempt())) {
    const absl::Duration grace =
        cancel.has_grace() ? DurationFrom(cancel.grace()) : absl::InfiniteDuration();
    attempt->context->RequestStop(cancel.preempt(), surroundings_.clock.BootTime() + grace);
  } else {
    attempt->context->Cancel();
    if (own_) return;
    Settle(*attempt, std::move(cancelled), reports);
    ArmStuck(attempt);
  }
}

void AttemptRunner::StartWhatMay(Reports* reports) {
  while (const std::optional<AttemptKey> key = queue_.TakeNext()) {
    // A copy: the attempt may end, and leave the map, in here.
    const AttemptPtr attempt = attempts_.find(*key)->second;
    Start(attempt, reports);
  }
}

void AttemptRunner::Start(const AttemptPtr& attempt, Reports* reports) {
  absl::Status fault;
  const bool parsed = attempt->job.ParseFromString(attempt->assignment.job());
  if (parsed && Expired(attempt->job)) return HandBack(*attempt, reports);
  attempt->started = true;
  attempt->start = surroundings_.clock.Now();
  attempt->begun = surroundings_.clock.BootTime();
  if (!parsed) {
    fault = absl::InternalError("the assignment's job cannot be parsed");
  } else if (attempt->kind = FindKind(attempt->job.kind_case()); attempt->kind == nullptr) {
    fault = absl::UnimplementedError("this runner does not know the job's kind; update the worker");
  } else if (attempt->timed = factories_.timed_task(attempt->kind->name);
             attempt->timed != nullptr) {
    return StartTimed(attempt, reports);
  } else if (attempt->executor = factories_.executor(attempt->kind->name);
             attempt->executor != nullptr) {
    return StartThread(attempt);
  } else {
    fault = absl::UnimplementedError(
        absl::StrCat("this runner was built without the kind ", attempt->kind->name));
  }
  SettleResult(*attempt, std::move(fault), reports);
  Remove(*attempt);
}

// A deadline includes the time in the queue: past it no device is used. The scheduler ends the job.
bool AttemptRunner::Expired(const api::Job& job) const {
  if (!job.has_expire_time()) return false;
  const absl::Time expire = absl::FromUnixSeconds(job.expire_time().seconds()) +
                            absl::Nanoseconds(job.expire_time().nanos());
  return job.expire_time().seconds() > 0 && surroundings_.clock.Now() >= expire;
}

void AttemptRunner::HandBack(Attempt& attempt, Reports* reports) {
  AttemptReport& report = reports->emplace_back();
  *report.mutable_ref() = attempt.assignment.ref();
  report.mutable_returned();
  Remove(attempt);
}

void AttemptRunner::StartTimed(const AttemptPtr& attempt, Reports* reports) {
  absl::StatusOr<TimedPlan> plan = attempt->timed->Begin(attempt->job, attempt->assignment.ref());
  const bool holds = plan.ok() && plan->hold > absl::ZeroDuration();
  if (holds || (plan.ok() && plan->announce_first)) {
    AttemptReport& report = reports->emplace_back();
    *report.mutable_ref() = attempt->assignment.ref();
    *report.mutable_started()->mutable_time() = TimestampOf(attempt->start);
    report.mutable_started()->set_device(surroundings_.device.device);
    report.mutable_started()->set_device_name(surroundings_.device.name);
    report.mutable_started()->set_phase(api::Job::WORKING);
  }
  if (holds) {
    attempt->hold = timers_.After(plan->hold, [this, key = attempt->key] { OnHoldOver(key); });
    return ArmTimeout(attempt);
  }
  if (plan.ok() && plan->announce_first) surroundings_.outbox.Reports(std::exchange(*reports, {}));
  SettleResult(*attempt, plan.ok() ? attempt->timed->Finish() : plan.status(), reports);
  Remove(*attempt);
}

void AttemptRunner::OnHoldOver(const AttemptKey& key) {
  Reports reports;
  {
    MutexLock lock(mutex_);
    const auto found = attempts_.find(key);
    if (found == attempts_.end()) return;
    const AttemptPtr attempt = found->second;
    SettleResult(*attempt, attempt->timed->Finish(), &reports);
    Remove(*attempt);
    StartWhatMay(&reports);
  }
  Send(std::move(reports));
}

void AttemptRunner::ArmTimeout(const AttemptPtr& attempt) {
  if (!attempt->job.has_timeout()) return;
  const absl::Duration timeout = DurationFrom(attempt->job.timeout());
  attempt->timeout = timers_.After(timeout, [this, key = attempt->key] { OnTimeout(key); });
}

// Replaces the timeout: the attempt has had its end.
void AttemptRunner::ArmStuck(const AttemptPtr& attempt) {
  timers_.Cancel(attempt->timeout);
  attempt->timeout = timers_.After(kStuckLimit, [this, key = attempt->key] {
    {
      MutexLock lock(mutex_);
      if (!attempts_.contains(key)) return;
    }
    stuck_();
  });
}

void AttemptRunner::OnTimeout(const AttemptKey& key) {
  Reports reports;
  {
    MutexLock lock(mutex_);
    const auto found = attempts_.find(key);
    if (found == attempts_.end()) return;
    const AttemptPtr attempt = found->second;
    Finished finished;
    const std::string limit = absl::FormatDuration(DurationFrom(attempt->job.timeout()));
    SetFailed(MakeError(absl::StatusCode::kDeadlineExceeded, "ATTEMPT_TIMED_OUT",
                        absl::StrCat("the attempt ran longer than the job's timeout of ", limit,
                                     "; submit with a longer timeout"),
                        {{"timeout", limit}}),
              &finished);
    finished.set_outcome(api::Attempt::TIMED_OUT);
    Settle(*attempt, std::move(finished), &reports);
    if (attempt->context != nullptr) {
      attempt->context->Cancel();
      ArmStuck(attempt);
    } else {
      Remove(*attempt);
      StartWhatMay(&reports);
    }
  }
  Send(std::move(reports));
}

void AttemptRunner::StartThread(const AttemptPtr& attempt) {
  attempt->context = std::make_unique<RunnerContext>(surroundings_, attempt->assignment);
  ++threads_;
  ArmTimeout(attempt);
  std::thread([this, attempt] { Work(attempt); }).detach();
}

void AttemptRunner::Work(const AttemptPtr& attempt) {
  AttemptReport started;
  *started.mutable_ref() = attempt->assignment.ref();
  *started.mutable_started()->mutable_time() = TimestampOf(attempt->start);
  started.mutable_started()->set_device(surroundings_.device.device);
  started.mutable_started()->set_device_name(surroundings_.device.name);
  started.mutable_started()->set_phase(api::Job::PREPARING);
  surroundings_.outbox.Report(std::move(started));

  RunnerContext& context = *attempt->context;
  context.memory().Enter();
  const absl::Status prepare = Guarded(
      [&] { return attempt->executor->Prepare(context, attempt->job, attempt->assignment); });
  const absl::Duration prepared = surroundings_.clock.BootTime() - attempt->begun;
  if (prepare.ok()) context.SetPhase(api::Job::WORKING);
  absl::StatusOr<api::Job> result =
      Guarded([&] { return prepare.ok() ? attempt->executor->Run(context) : prepare; });
  // Memory and scratch folder are free before the end is reported.
  attempt->executor.reset();
  context.memory().Leave();
  context.RemoveWorkDir();

  Reports reports;
  MutexLock lock(mutex_);
  attempt->prepared = prepared;
  SettleResult(*attempt, std::move(result), &reports);
  Remove(*attempt);
  StartWhatMay(&reports);
  Send(std::move(reports));
  --threads_;
  idle_.SignalAll();
}

void AttemptRunner::SettleResult(Attempt& attempt, absl::StatusOr<api::Job> result,
                                 Reports* reports) {
  Finished finished;
  const bool cancelled = attempt.context != nullptr && attempt.context->Cancelled();
  const bool stopped = attempt.context != nullptr && attempt.context->StopRequested();
  if (attempt.context != nullptr) {
    for (auto& output : attempt.context->TakeOutputs()) *finished.add_outputs() = std::move(output);
  }
  if (result.ok()) {
    // Work that was done before it saw the stop is a whole result.
    const bool early = stopped && attempt.context->ended_early();
    finished.set_outcome(early ? api::Attempt::CANCELLED : api::Attempt::SUCCEEDED);
    result->SerializeToString(finished.mutable_result());
  } else if (result.status().code() == absl::StatusCode::kCancelled && (cancelled || stopped)) {
    SetCancelled(&finished);
  } else {
    SetFailed(result.status(), &finished);
  }
  Settle(attempt, std::move(finished), reports);
}

void AttemptRunner::Settle(Attempt& attempt, Finished finished, Reports* reports) {
  if (attempt.settled) return;
  attempt.settled = true;
  if (attempt.started) {
    *finished.mutable_start_time() = TimestampOf(attempt.start);
    *finished.mutable_end_time() = TimestampOf(surroundings_.clock.Now());
    if (attempt.prepared > absl::ZeroDuration())
      *finished.mutable_prepared() = DurationOf(attempt.prepared);
    *finished.mutable_run() =
        DurationOf(surroundings_.clock.BootTime() - attempt.begun - attempt.prepared);
    finished.set_device(surroundings_.device.device);
    finished.set_device_name(surroundings_.device.name);
  }
  if (attempt.context != nullptr) {
    finished.set_memory_peak_bytes(attempt.context->memory_peak_bytes());
    finished.set_batch(attempt.context->batch());
  }
  AttemptReport& report = reports->emplace_back();
  *report.mutable_ref() = attempt.assignment.ref();
  *report.mutable_finished() = std::move(finished);
}

void AttemptRunner::Remove(Attempt& attempt) {
  timers_.Cancel(attempt.hold);
  timers_.Cancel(attempt.timeout);
  queue_.Ended(attempt.assignment.job_class());
  attempts_.erase(attempt.key);
  if (attempts_.empty()) idle_.SignalAll();
}

void AttemptRunner::Send(Reports reports) {
  if (!reports.empty()) surroundings_.outbox.Reports(std::move(reports));
}

}  // namespace switchyard::worker
