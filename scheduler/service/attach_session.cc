#include "scheduler/service/attach_session.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/log/log.h"
#include "common/rpc/status.h"
#include "common/status/error.h"

namespace switchyard::scheduler {
namespace {

// A message past this is sent and the next begun: gRPC's receive limits stay far, and a worker can
// start on the first part.
constexpr size_t kMessageBytes = 512 * 1024;

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
  MutexLock lock(mutex_);
  if (finished_ || closing_) return;
  Remember(output);
  if (output.welcome) {
    worker::v1::SchedulerMessage& message = outgoing_.emplace_back();
    message.set_epoch(epoch);
    WriteWelcome(*output.welcome, ports_.times, message.mutable_welcome());
  }
  QueueAssignments(epoch, output);
  if (output.limits || !output.cancels.empty() || !output.recalls.empty() ||
      !output.acknowledgements.empty() || output.heartbeat_acknowledged != 0) {
    WriteDelta(output, OpenDelta(epoch).mutable_delta());
  }
  closing_ = output.close;
  // A peer that no longer reads would keep the stream open for ever.
  if (closing_ && writing_) return context_.TryCancel();
  WriteNext();
}

// Large assignments are spread over several messages.
void AttachSession::QueueAssignments(uint64_t epoch, SessionOutput& output) {
  SessionOutput part;
  for (Assignment& assignment : output.assignments) {
    worker::v1::SchedulerMessage& message = OpenDelta(epoch);
    open_bytes_ += assignment.job.size();
    part.assignments.clear();
    part.assignments.push_back(std::move(assignment));
    WriteDelta(part, message.mutable_delta());
  }
  output.assignments.clear();
}

worker::v1::SchedulerMessage& AttachSession::OpenDelta(uint64_t epoch) {
  if (outgoing_.empty() || !outgoing_.back().has_delta() || outgoing_.back().epoch() != epoch ||
      open_bytes_ > kMessageBytes) {
    outgoing_.emplace_back().set_epoch(epoch);
    open_bytes_ = 0;
  }
  return outgoing_.back();
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

void AttachSession::WriteNext() {
  if (writing_ || finished_) return;
  if (outgoing_.empty()) {
    if (closing_) {
      FinishLocked(MakeError(
          absl::StatusCode::kAborted, "SESSION_CLOSED",
          "this stream was replaced by a newer one, or the scheduler starts anew; attach again"));
    }
    return;
  }
  writing_message_ = std::move(outgoing_.front());
  outgoing_.pop_front();
  writing_ = true;
  StartWrite(&writing_message_);
}

void AttachSession::OnWriteDone(bool ok) {
  MutexLock lock(mutex_);
  writing_ = false;
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
