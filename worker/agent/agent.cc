// The scheduler's side of the agent: hello, welcome, deltas, drain.
#include "worker/agent/agent.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "common/log/log.h"
#include "worker/report/report.h"
#include "worker/start/kind_of.h"

namespace switchyard::worker {

using ::switchyard::worker::v1::Assignment;
using ::switchyard::worker::v1::AttemptRef;
using ::switchyard::worker::v1::AttemptReport;
using ::switchyard::worker::v1::CancelAttempt;
using ::switchyard::worker::v1::Hello;
using ::switchyard::worker::v1::SchedulerDelta;
using ::switchyard::worker::v1::ToRunner;
using ::switchyard::worker::v1::Welcome;
using ::switchyard::worker::v1::WorkerDelta;

Agent::Agent(AgentOptions options, Runners& runners, SegmentStore& segments, Clock& clock,
             std::function<void()> wake)
    : options_(std::move(options)),
      runners_(runners),
      segments_(segments),
      clock_(clock),
      wake_(std::move(wake)),
      device_(options_.device) {}

void Agent::Begin() {
  MutexLock lock(mutex_);
  StartServing();
}

Agent::Attempt* Agent::Find(const AttemptKey& key) {
  const auto found = attempts_.find(key);
  return found == attempts_.end() ? nullptr : &found->second;
}

template <typename Message>
void Agent::Tell(Message message) {
  // Without a stream nothing is kept: the next hello and what follows its welcome say it all.
  if (!attached_) return;
  outgoing_.Add(std::move(message));
  wake_();
}
template void Agent::Tell(::switchyard::worker::v1::AttemptReport);
template void Agent::Tell(::switchyard::worker::v1::AttemptEvents);

Hello Agent::BuildHello() {
  MutexLock lock(mutex_);
  Hello hello;
  hello.set_worker(options_.worker);
  hello.set_incarnation(options_.incarnation);
  hello.set_host(options_.host);
  hello.set_version(options_.version);
  *hello.add_devices() = device_;
  *hello.mutable_host_figures() = host_;
  // Budgets are numbered anew in every session.
  budget_.clear_sequence();
  ++budget_number_;
  serving_state_.clear_sequence();
  serving_state_.set_device(device_.device());
  *hello.add_serving() = serving_state_;
  host_changed_ = serving_changed_ = false;
  for (const std::string& kind : kinds_) hello.add_kinds(kind);
  for (const auto& [key, attempt] : attempts_) {
    if (!attempt.forgotten) *hello.add_attempts() = StateOf(attempt);
  }
  hello.set_epoch_seen(epoch_seen_);
  hello.set_draining(draining_);
  lease_.OnHelloSent(clock_.BootTime());
  return hello;
}

AttemptReport Agent::StateOf(const Attempt& attempt) const {
  if (attempt.stage == Stage::kReported) return *attempt.end;
  AttemptReport report;
  *report.mutable_ref() = attempt.assignment.ref();
  if (attempt.started != nullptr) {
    *report.mutable_started() = *attempt.started;
  } else {
    report.mutable_held();
  }
  return report;
}

void Agent::OnWelcome(const Welcome& welcome) {
  MutexLock lock(mutex_);
  attached_ = true;
  heartbeat_interval_ = absl::Seconds(welcome.heartbeat_interval().seconds()) +
                        absl::Nanoseconds(welcome.heartbeat_interval().nanos());
  next_heartbeat_ = clock_.BootTime() + heartbeat_interval_;
  lease_.OnWelcome(absl::Seconds(welcome.lease().seconds()) +
                   absl::Nanoseconds(welcome.lease().nanos()));
  outgoing_.Clear();
  absl::flat_hash_set<AttemptKey> keep;
  for (const AttemptRef& ref : welcome.keep()) keep.insert(KeyOf(ref));
  std::vector<AttemptKey> dropped;
  for (const auto& [key, attempt] : attempts_) {
    if (!keep.contains(key)) {
      dropped.push_back(key);
    } else {
      Resend(attempt);
    }
  }
  ToRunner serving;
  for (const AttemptKey& key : dropped) Forget(key, &serving);
  SetLimits(welcome.limits(), &serving);
  SetBudgets(welcome.serving_budgets(), &serving);
  RenewRunners();
  SendServing(serving);
  StartOwnWhatMay();
  wake_();
}

// What the scheduler may have missed while no stream was there. Everything in it is idempotent.
void Agent::Resend(const Attempt& attempt) {
  if (attempt.forgotten) return;
  if (attempt.log != nullptr) {
    auto tail = attempt.log->Tail();
    *tail.mutable_ref() = attempt.assignment.ref();
    if (tail.events_size() != 0) outgoing_.Add(std::move(tail));
  }
  if (attempt.stage != Stage::kReported && attempt.started != nullptr)
    outgoing_.Add(StateOf(attempt));
  if (attempt.checkpoint != nullptr) outgoing_.Add(*attempt.checkpoint);
  if (attempt.log != nullptr) {
    AttemptReport segments = SegmentsOf(attempt);
    if (segments.segments().artifacts_size() != 0) outgoing_.Add(std::move(segments));
  }
  if (attempt.stage == Stage::kReported) outgoing_.Add(*attempt.end);
}

void Agent::OnDetached() {
  MutexLock lock(mutex_);
  attached_ = false;
  outgoing_.Clear();
}

absl::Status Agent::CheckEpoch(uint64_t epoch) {
  MutexLock lock(mutex_);
  if (epoch < epoch_seen_) {
    return absl::FailedPreconditionError(absl::StrCat(
        "a scheduler of epoch ", epoch, " does not lead: epoch ", epoch_seen_, " was seen"));
  }
  epoch_seen_ = epoch;
  return absl::OkStatus();
}

void Agent::OnDelta(SchedulerDelta& delta) {
  MutexLock lock(mutex_);
  if (!attached_) return;
  ToRunner serving;
  for (const AttemptRef& ref : delta.acknowledged()) {
    const auto found = attempts_.find(KeyOf(ref));
    if (found != attempts_.end() && found->second.stage == Stage::kReported) attempts_.erase(found);
  }
  if (delta.heartbeat_acknowledged() != 0 &&
      lease_.OnAcknowledged(delta.heartbeat_acknowledged())) {
    RenewRunners();
  }
  if (delta.limits_size() != 0) SetLimits(delta.limits(), &serving);
  // What was promised under a lease that is over may be others' by now.
  if (!lease_.Expired(clock_.BootTime())) SetBudgets(delta.serving_budgets(), &serving);
  for (Assignment& assignment : *delta.mutable_assignments()) Assign(assignment, &serving);
  for (const CancelAttempt& cancel : delta.cancels()) {
    if (cancel.preempt()) {
      Preempt(KeyOf(cancel.ref()), DurationFrom(cancel.grace()), &serving);
    } else {
      Cancel(KeyOf(cancel.ref()), cancel.checkpoint_first(), &serving);
    }
  }
  for (const AttemptRef& ref : delta.recalls()) Recall(ref, &serving);
  SendServing(serving);
  StartOwnWhatMay();
}

void Agent::Assign(Assignment& assignment, ToRunner* serving) {
  const AttemptKey key = KeyOf(assignment.ref());
  const auto [place, added] = attempts_.try_emplace(key);
  if (!added) return;  // Told twice.
  Attempt& attempt = place->second;
  attempt.kind = KindOf(assignment.job());
  attempt.assignment = std::move(assignment);
  // Given while draining: kept unstarted and handed back at the end of the drain, since the
  // scheduler would only give it again.
  if (draining_) return;
  if (Own(attempt)) {
    queue_.Add(key, attempt.assignment.job_class(), attempt.assignment.rank());
    return;
  }
  attempt.stage = Stage::kGiven;
  attempt.runner = serving_;
  *serving->add_start() = attempt.assignment;
}

void Agent::Recall(const AttemptRef& ref, ToRunner* serving) {
  const AttemptKey key = KeyOf(ref);
  Attempt* attempt = Find(key);
  if (attempt == nullptr) return;
  if (attempt->stage == Stage::kWaiting) {
    queue_.Remove(key);
    Conclude(key, ReturnedReport(*attempt));
  } else if (attempt->stage == Stage::kGiven && !Own(*attempt)) {
    *serving->add_recalls() = ref;
  }
}

void Agent::Cancel(const AttemptKey& key, bool checkpoint_first, ToRunner* serving) {
  Attempt* attempt = Find(key);
  if (attempt == nullptr) return;
  if (attempt->stage == Stage::kWaiting) {
    queue_.Remove(key);
    return Conclude(key, CancelledReport(*attempt));
  }
  if (attempt->stage != Stage::kGiven && attempt->stage != Stage::kRunning) return;
  ToRunner own;
  CancelAttempt* cancel = Own(*attempt) ? own.add_cancel() : serving->add_cancel();
  *cancel->mutable_ref() = attempt->assignment.ref();
  cancel->set_checkpoint_first(checkpoint_first);
  attempt->cancel_asked = true;
  if (!Own(*attempt)) return;
  const bool stops = checkpoint_first && attempt->kind->checkpoints;
  attempt->kill_at = std::min(
      attempt->kill_at, clock_.BootTime() + (stops ? options_.stop_grace : options_.cancel_grace));
  runners_.Send(attempt->runner, own);
}

// Short work may end by itself; what has not started goes back at once; what has a runner of its
// own is asked for a checkpoint, or told of its end.
void Agent::Preempt(const AttemptKey& key, absl::Duration grace, ToRunner* serving) {
  Attempt* attempt = Find(key);
  if (attempt == nullptr || attempt->cancel_asked || attempt->returns) return;
  if (attempt->stage == Stage::kWaiting) return Recall(attempt->assignment.ref(), serving);
  if (attempt->stage != Stage::kGiven && attempt->stage != Stage::kRunning) return;
  attempt->returns = true;
  const absl::Duration until = clock_.BootTime() + grace;
  if (!Own(*attempt)) {
    Recall(attempt->assignment.ref(), serving);
    attempt->give_back_at = until;
    return;
  }
  attempt->kill_at = std::min(attempt->kill_at, until);
  ToRunner own;
  CancelAttempt* cancel = own.add_cancel();
  *cancel->mutable_ref() = attempt->assignment.ref();
  cancel->set_checkpoint_first(true);
  cancel->set_preempt(true);
  *cancel->mutable_grace() = DurationOf(grace);
  runners_.Send(attempt->runner, own);
}

void Agent::SetBudgets(
    const google::protobuf::RepeatedPtrField<::switchyard::worker::v1::ServingBudget>& budgets,
    ToRunner* serving) {
  for (const auto& budget : budgets) {
    if (budget.device() != device_.device() || budget.sequence() <= budget_.sequence()) continue;
    budget_ = budget;
    // Numbered by us towards runners: an answer of an earlier session is none to this budget.
    ++budget_number_;
    *serving->mutable_serving_budget() = budget;
    serving->mutable_serving_budget()->set_sequence(budget_number_);
  }
}

void Agent::SetHostFigures(const ::switchyard::v1::HostFigures& figures) {
  MutexLock lock(mutex_);
  if (figures.SerializeAsString() == host_.SerializeAsString()) return;
  host_ = figures;
  host_changed_ = true;
  wake_();
}

void Agent::Forget(const AttemptKey& key, ToRunner* serving) {
  Attempt* attempt = Find(key);
  if (attempt->stage == Stage::kWaiting) queue_.Remove(key);
  if (attempt->stage == Stage::kWaiting || attempt->stage == Stage::kReported) {
    attempts_.erase(key);
    return;
  }
  attempt->forgotten = true;
  if (attempt->stage == Stage::kStoring) return;
  if (Own(*attempt)) {
    runners_.Kill(attempt->runner);
  } else {
    *serving->add_cancel()->mutable_ref() = attempt->assignment.ref();
  }
}

void Agent::SetLimits(
    const google::protobuf::RepeatedPtrField<::switchyard::worker::v1::DeviceLimit>& limits,
    ToRunner* serving) {
  limits_ = limits;
  queue_.SetLimits(limits);
  *serving->mutable_limits() = limits;
}

void Agent::SendServing(const ToRunner& frame) {
  if (frame.ByteSizeLong() != 0) runners_.Send(serving_, frame);
}

void Agent::RenewRunners() {
  ToRunner frame;
  frame.set_lease_expiry_boottime_ns(
      static_cast<uint64_t>(absl::ToInt64Nanoseconds(lease_.expiry())));
  for (const auto& [runner, state] : runner_states_) runners_.Send(runner, frame);
}

bool Agent::TakeDelta(WorkerDelta* delta) {
  MutexLock lock(mutex_);
  if (!attached_) return false;
  const absl::Duration now = clock_.BootTime();
  const bool heartbeat = now >= next_heartbeat_;
  if (heartbeat) {
    next_heartbeat_ = now + heartbeat_interval_;
    delta->mutable_heartbeat()->set_sequence(lease_.OnHeartbeatSent(now));
  }
  if (std::exchange(device_changed_, false)) *delta->add_devices() = device_;
  const bool host = std::exchange(host_changed_, false);
  if (host) *delta->mutable_host_figures() = host_;
  if (std::exchange(serving_changed_, false)) *delta->add_serving() = serving_state_;
  const bool drain = std::exchange(tell_draining_, false);
  delta->set_draining(drain);
  const bool any = heartbeat || drain || host || delta->devices_size() != 0 ||
                   delta->serving_size() != 0 || !outgoing_.empty();
  outgoing_.TakeInto(delta);
  return any;
}

absl::Duration Agent::UntilHeartbeat() {
  MutexLock lock(mutex_);
  return attached_ ? next_heartbeat_ - clock_.BootTime() : heartbeat_interval_;
}

absl::Duration Agent::heartbeat_interval() {
  MutexLock lock(mutex_);
  return heartbeat_interval_;
}

void Agent::BeginDrain() {
  MutexLock lock(mutex_);
  draining_ = true;
  tell_draining_ = true;
  ToRunner serving;
  std::vector<AttemptKey> keys;
  for (const auto& [key, attempt] : attempts_) keys.push_back(key);
  for (const AttemptKey& key : keys) {
    Attempt* attempt = Find(key);
    if (attempt->kind != nullptr && attempt->kind->checkpoints && attempt->runner != 0 &&
        !attempt->cancel_asked) {
      Preempt(key, options_.stop_grace, &serving);
    } else {
      Recall(RefOf(key), &serving);
    }
  }
  SendServing(serving);
}

void Agent::EndDrain() {
  MutexLock lock(mutex_);
  ending_ = true;
  std::vector<AttemptKey> waiting;
  for (const auto& [key, attempt] : attempts_) {
    if (attempt.stage == Stage::kWaiting) waiting.push_back(key);
  }
  for (const AttemptKey& key : waiting) Conclude(key, ReturnedReport(*Find(key)));
}

bool Agent::Working() {
  MutexLock lock(mutex_);
  for (const auto& [key, attempt] : attempts_) {
    if (attempt.stage != Stage::kWaiting && attempt.stage != Stage::kReported) return true;
  }
  return false;
}

bool Agent::Unacknowledged() {
  MutexLock lock(mutex_);
  return !attempts_.empty();
}

bool Agent::Ready() {
  MutexLock lock(mutex_);
  return ready_;
}

AgentFigures Agent::Figures() {
  MutexLock lock(mutex_);
  AgentFigures figures = figures_;
  figures.attached = attached_;
  figures.ready = ready_;
  figures.draining = draining_;
  for (const auto& [key, attempt] : attempts_) {
    if (attempt.stage == Stage::kReported) {
      ++figures.unacknowledged;
    } else if (attempt.started != nullptr || attempt.stage == Stage::kEnding) {
      ++figures.running;
    } else {
      ++figures.held;
    }
  }
  return figures;
}

}  // namespace switchyard::worker
