#include "scheduler/service/attach_session.h"

#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/log/log.h"
#include "common/rpc/status.h"
#include "common/status/error.h"

namespace switchyard::scheduler {
namespace {

// Up to so many assignments and acknowledgements are written on the engine's thread: a hop costs
// more, and a lone job is to start at once.
constexpr size_t kFewEntries = 32;

// How long a closing stream's last write may take.
constexpr std::chrono::seconds kLongestLastWrite(1);

}  // namespace

void AttachSession::Start() {
  self_ = shared_from_this();
  session_ = ports_.registry.Add(self_);
  StartRead(&incoming_);
}

void AttachSession::OnReadDone(bool ok) {
  if (!ok) {
    Detach();
    return FinishWith(absl::OkStatus());
  }
  absl::Status taken;
  if (incoming_.has_hello() != !attached_) {
    taken = absl::InvalidArgumentError("exactly one hello must come, and it must come first");
  } else {
    taken = attached_ ? TakeDelta(*incoming_.mutable_delta()) : TakeHello(incoming_);
  }
  if (!taken.ok()) {
    LogWarning("worker stream refused",
               {{"worker", worker_}, {"session", session_}, {"error", taken.ToString()}});
    Detach();
    return FinishWith(taken);
  }
  incoming_.Clear();
  MutexLock lock(mutex_);
  if (!finished_) StartRead(&incoming_);
}

absl::Status AttachSession::TakeHello(worker::v1::WorkerMessage& message) {
  if (LeadingTerm(ports_.leadership, ports_.clock) == 0) return NotLeader(ports_.leadership);
  worker::v1::Hello& hello = *message.mutable_hello();
  const uint64_t epoch = ports_.live.fleet()->epoch;
  if (hello.epoch_seen() > epoch) {
    return MakeError(
        absl::StatusCode::kFailedPrecondition, "NOT_LEADER",
        absl::StrCat("worker ", hello.worker(), " has seen leader epoch ", hello.epoch_seen(),
                     ", this scheduler's is ", epoch, "; attach to the leading one"));
  }
  absl::StatusOr<WorkerAttached> attached = ReadHello(session_, hello);
  if (!attached.ok()) return attached.status();
  worker_ = attached->worker;
  attached_ = true;
  LogInfo("worker attached", {{"worker", worker_},
                              {"incarnation", attached->incarnation},
                              {"session", session_},
                              {"attempts", attached->attempts.size()}});
  Input input;
  input.event = std::move(*attached);
  ports_.engine.Submit(std::move(input));
  return absl::OkStatus();
}

absl::Status AttachSession::TakeDelta(worker::v1::WorkerDelta& delta) {
  WorkerReports reports;
  reports.session = session_;
  reports.reports.reserve(delta.reports_size());
  for (worker::v1::AttemptReport& report : *delta.mutable_reports()) {
    absl::StatusOr<AttemptReport> read = ReadReport(report);
    if (!read.ok()) return read.status();
    reports.reports.push_back(std::move(*read));
  }
  // Before the reports: an attempt's last events are to be seen before its end.
  TakeEvents(delta);
  std::vector<Input> inputs;
  const auto add = [&](Event event) { inputs.emplace_back().event = std::move(event); };
  // Before the reports: what it returns is not to be given to it again.
  if (delta.draining()) add(WorkerDraining{session_});
  if (!reports.reports.empty()) add(std::move(reports));
  if (delta.devices_size() > 0) {
    WorkerDevicesChanged changed{.session = session_};
    for (const v1::Device& device : delta.devices()) changed.devices.push_back(ReadDevice(device));
    add(std::move(changed));
  }
  if (delta.has_host_figures()) {
    add(WorkerHostChanged{session_, ReadHostFigures(delta.host_figures())});
  }
  if (delta.interactive_use_size() > 0) {
    InteractiveUse use{.session = session_};
    for (const auto& one : delta.interactive_use()) use.uses.push_back(ReadInteractiveUse(one));
    add(std::move(use));
  }
  if (delta.serving_size() > 0) {
    WorkerServing serving{.session = session_};
    for (const auto& state : delta.serving()) serving.states.push_back(ReadServing(state));
    add(std::move(serving));
  }
  // After the reports: what ended is not renewed.
  if (delta.has_heartbeat()) add(WorkerHeartbeat{session_, delta.heartbeat().sequence()});
  if (!inputs.empty()) ports_.engine.Submit(std::move(inputs));
  return absl::OkStatus();
}

void AttachSession::TakeEvents(worker::v1::WorkerDelta& delta) {
  for (worker::v1::AttemptEvents& events : *delta.mutable_events()) {
    {
      MutexLock lock(mutex_);
      if (held_.count({events.ref().job(), events.ref().attempt()}) == 0) continue;
    }
    ports_.events.Append(events.ref().job(), events.ref().attempt(), events.first_sequence(),
                         *events.mutable_events());
  }
}

void AttachSession::Detach() {
  if (!std::exchange(attached_, false)) return;
  LogInfo("worker detached", {{"worker", worker_}, {"session", session_}});
  Input input;
  input.event = WorkerDetached{session_};
  ports_.engine.Submit(std::move(input));
}

void AttachSession::Send(uint64_t epoch, SessionOutput output) {
  const bool few = output.assignments.size() + output.acknowledgements.size() <= kFewEntries;
  {
    MutexLock lock(mutex_);
    if (finished_ || closing_) return;
    Remember(output);
    closing_ = output.close;
    outbox_.Add(epoch, std::move(output));
    if (closing_ && writing_) CutOffLater();
    if (std::exchange(writing_, true)) return;  // The end of the write under way goes on.
  }
  if (few || !ports_.pool.Run([self = shared_from_this()] { self->WriteNext(); }).ok()) WriteNext();
}

// The write under way goes on to the stream's orderly end; a peer that no longer reads would keep
// it open for ever.
void AttachSession::CutOffLater() {
  cut_off_.Set(std::chrono::system_clock::now() + kLongestLastWrite,
               [weak = weak_from_this()](bool due) {
                 const std::shared_ptr<AttachSession> self = weak.lock();
                 if (!due || self == nullptr) return;
                 MutexLock lock(self->mutex_);
                 // Not finished: the call, and so its context, is still there.
                 if (!self->finished_) self->context_.TryCancel();
               });
}

void AttachSession::Remember(const SessionOutput& output) {
  if (output.welcome) {
    for (const AttemptRef& ref : output.welcome->keep) held_.insert({ref.job, ref.attempt});
  }
  for (const Assignment& assignment : output.assignments) {
    held_.insert({assignment.attempt.ref.job, assignment.attempt.ref.attempt});
  }
  for (const AttemptRef& ref : output.acknowledgements) held_.erase({ref.job, ref.attempt});
}

// REQUIRES: the caller set `writing_`.
void AttachSession::WriteNext() {
  std::vector<AttachOutbox::Piece> pieces;
  {
    MutexLock lock(mutex_);
    pieces = outbox_.TakeMessage();
    if (pieces.empty()) {
      writing_ = false;
      if (!closing_) return;
      return FinishLocked(MakeError(
          absl::StatusCode::kAborted, "SESSION_CLOSED",
          "this stream was replaced by a newer one, or the scheduler starts anew; attach again"));
    }
  }
  WriteMessage(pieces, ports_.times, &outgoing_);
  MutexLock lock(mutex_);
  if (!finished_) StartWrite(&outgoing_);
}

void AttachSession::OnWriteDone(bool ok) {
  // A failed write is followed by a failed read, which ends the session.
  if (ok) WriteNext();
}

void AttachSession::FinishWith(const absl::Status& status) {
  MutexLock lock(mutex_);
  FinishLocked(status);
}

void AttachSession::FinishLocked(const absl::Status& status) {
  if (std::exchange(finished_, true)) return;
  Finish(ToGrpc(status));
}

void AttachSession::OnDone() {
  ports_.registry.Remove(session_);
  self_.reset();
}

}  // namespace switchyard::scheduler
