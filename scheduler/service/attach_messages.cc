#include "scheduler/service/attach_messages.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/error.h"

namespace switchyard::scheduler {
namespace {

template <typename Proto>
int64_t Micros(const Proto& proto) {
  return proto.seconds() * 1'000'000 + proto.nanos() / 1000;
}

void SetDuration(absl::Duration duration, google::protobuf::Duration* proto) {
  proto->set_seconds(absl::ToInt64Seconds(duration));
  proto->set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(duration % absl::Seconds(1))));
}

AttemptRef ReadRef(const worker::v1::AttemptRef& ref) {
  return {.job = ref.job(),
          .attempt = ref.attempt(),
          .fencing = {.epoch = ref.fencing().epoch(), .counter = ref.fencing().counter()}};
}

OutputArtifact ReadOutput(const v1::OutputArtifact& output) {
  return {.name = output.name(),
          .sha256 = output.sha256(),
          .size_bytes = output.size_bytes(),
          .media_type = output.media_type()};
}

Started ReadStarted(const worker::v1::Started& started) {
  return {.time_us = Micros(started.time()),
          .device = started.device(),
          .device_name = started.device_name(),
          .phase = v1::Job::Phase_IsValid(started.phase()) ? static_cast<Phase>(started.phase())
                                                           : Phase::kUnspecified,
          .progress = started.progress()};
}

// The bytes are stored and later merged into the job that people see, so nothing but a result may
// be in them.
absl::Status CheckResult(const std::string& bytes) {
  if (bytes.empty()) return absl::OkStatus();
  v1::Job job;
  if (!job.ParseFromString(bytes))
    return absl::InvalidArgumentError("the result is not a serialized Job");
  v1::Job rest = job;
  rest.clear_result();
  if (job.result_case() == v1::Job::RESULT_NOT_SET || rest.ByteSizeLong() != 0) {
    return absl::InvalidArgumentError("the result is not a Job with only its result set");
  }
  return absl::OkStatus();
}

absl::StatusOr<Finished> ReadFinished(worker::v1::Finished& finished) {
  if (!v1::Attempt::Outcome_IsValid(finished.outcome()) ||
      finished.outcome() == v1::Attempt::OUTCOME_UNSPECIFIED) {
    return absl::InvalidArgumentError("the outcome is none");
  }
  if (absl::Status status = CheckResult(finished.result()); !status.ok()) return status;
  Finished read;
  read.outcome = static_cast<Outcome>(finished.outcome());
  if (finished.has_error()) {
    read.error = finished.error().SerializeAsString();
    read.error_message = finished.error().message();
  }
  read.result = std::move(*finished.mutable_result());
  for (const v1::OutputArtifact& output : finished.outputs())
    read.outputs.push_back(ReadOutput(output));
  read.start_us = Micros(finished.start_time());
  read.end_us = Micros(finished.end_time());
  read.prepared_us = Micros(finished.prepared());
  read.run_us = Micros(finished.run());
  read.device = std::move(*finished.mutable_device());
  read.device_name = std::move(*finished.mutable_device_name());
  read.out_of_memory = finished.out_of_memory();
  read.permanent = finished.permanent();
  read.memory_peak_bytes = finished.memory_peak_bytes();
  read.batch = finished.batch();
  return read;
}

void WriteGang(const GangPlace& place, worker::v1::Assignment* to) {
  worker::v1::Gang* gang = to->mutable_gang();
  gang->set_size(place.size);
  gang->set_rank(place.rank);
  gang->set_members(place.members);
  gang->set_member(place.member);
  gang->set_rendezvous(place.rendezvous);
  for (const std::string& device : place.devices) to->add_devices(device);
}

worker::v1::Assignment* AddAssignment(Assignment& from, worker::v1::SchedulerDelta* delta) {
  worker::v1::Assignment* to = delta->add_assignments();
  *to->mutable_ref() = WriteRef(from.attempt.ref);
  to->set_job(std::move(from.job));
  to->set_job_class(static_cast<v1::JobClass>(from.attempt.job_class));
  to->set_device(std::move(from.attempt.device));
  to->set_rank(from.attempt.rank);
  to->set_resume_from(std::move(from.attempt.resume_from));
  if (from.attempt.gang.size > 0) WriteGang(from.attempt.gang, to);
  to->set_memory_bytes(from.attempt.memory_bytes);
  to->set_batch_limit(from.attempt.batch_limit);
  if (from.attempt.no_progress_us > 0) {
    SetDuration(absl::Microseconds(from.attempt.no_progress_us), to->mutable_no_progress_timeout());
  }
  // Bytes of our own store: they parse.
  if (from.model != nullptr) to->mutable_model()->ParseFromString(*from.model);
  if (from.initial_model != nullptr)
    to->mutable_initial_model()->ParseFromString(*from.initial_model);
  return to;
}

}  // namespace

WorkerDevice ReadDevice(const v1::Device& device) {
  return {.device = device.device(),
          .name = device.name(),
          .memory_total_bytes = device.memory_total_bytes(),
          .memory_used_bytes = device.memory_used_bytes(),
          .uuid = device.uuid(),
          .compute_capability = device.compute_capability(),
          .libtorch_version = device.libtorch_version(),
          .cuda_version = device.cuda_version(),
          .cores = device.cores(),
          .runner_context_bytes = device.runner_context_bytes()};
}

HostFigures ReadHostFigures(const v1::HostFigures& figures) {
  return {.ledger_id = figures.ledger_id(),
          .memory_total_bytes = figures.memory_total_bytes(),
          .memory_used_bytes = figures.memory_used_bytes(),
          .memory_ceiling_bytes = figures.memory_ceiling_bytes(),
          .cpu_used_millicores = figures.cpu_used_millicores(),
          .cpu_ceiling_millicores = figures.cpu_ceiling_millicores()};
}

InteractiveUse::Use ReadInteractiveUse(const worker::v1::InteractiveUse& use) {
  // A wrong figure must not charge anybody for ever.
  constexpr int64_t kMostUs = 3600'000'000;
  const int64_t us = use.device_time().seconds() * 1'000'000 + use.device_time().nanos() / 1000;
  return {.tenant = use.tenant(), .device_us = std::clamp<int64_t>(us, 0, kMostUs)};
}

ServingState ReadServing(const worker::v1::ServingState& state) {
  return {.device = state.device(),
          .sequence = state.sequence(),
          .held_bytes = state.held_bytes(),
          .busy_bytes = state.busy_bytes(),
          .budget_bytes = state.budget_bytes()};
}

absl::StatusOr<AttemptReport> ReadReport(worker::v1::AttemptReport& report) {
  AttemptReport read;
  read.ref = ReadRef(report.ref());
  if (read.ref.job == 0 || read.ref.attempt == 0)
    return InvalidField("reports.ref", "must name a job and an attempt");
  switch (report.report_case()) {
    case worker::v1::AttemptReport::kHeld:
      read.report = Held();
      return read;
    case worker::v1::AttemptReport::kStarted:
      read.report = ReadStarted(report.started());
      return read;
    case worker::v1::AttemptReport::kFinished: {
      absl::StatusOr<Finished> finished = ReadFinished(*report.mutable_finished());
      if (!finished.ok())
        return Annotate(finished.status(),
                        absl::StrCat("report on job ", FormatJobId(read.ref.job)));
      read.report = std::move(*finished);
      return read;
    }
    case worker::v1::AttemptReport::kReturned:
      read.report = Returned();
      return read;
    case worker::v1::AttemptReport::kCheckpoint:
      read.report = CheckpointStored{ReadOutput(report.checkpoint().artifact())};
      return read;
    case worker::v1::AttemptReport::kSegments: {
      EventsStored stored;
      for (const v1::OutputArtifact& artifact : report.segments().artifacts()) {
        stored.artifacts.push_back(ReadOutput(artifact));
      }
      read.report = std::move(stored);
      return read;
    }
    case worker::v1::AttemptReport::REPORT_NOT_SET:
      break;
  }
  return InvalidField("reports.report", "must be set");
}

absl::StatusOr<WorkerAttached> ReadHello(uint64_t session, worker::v1::Hello& hello) {
  if (hello.worker().empty()) return InvalidField("hello.worker", "must be set");
  if (hello.incarnation().empty()) return InvalidField("hello.incarnation", "must be set");
  WorkerAttached attached;
  attached.session = session;
  attached.worker = hello.worker();
  attached.incarnation = hello.incarnation();
  attached.host = hello.host();
  attached.version = hello.version();
  for (const v1::Device& device : hello.devices()) attached.devices.push_back(ReadDevice(device));
  // A draining worker takes nothing, so it offers nothing.
  if (!hello.draining()) attached.kinds.assign(hello.kinds().begin(), hello.kinds().end());
  for (worker::v1::AttemptReport& report : *hello.mutable_attempts()) {
    absl::StatusOr<AttemptReport> read = ReadReport(report);
    if (!read.ok()) return read.status();
    attached.attempts.push_back(std::move(*read));
  }
  attached.host_figures = ReadHostFigures(hello.host_figures());
  for (const auto& state : hello.serving()) attached.serving.push_back(ReadServing(state));
  return attached;
}

worker::v1::AttemptRef WriteRef(const AttemptRef& ref) {
  worker::v1::AttemptRef message;
  message.set_job(ref.job);
  message.set_attempt(ref.attempt);
  message.mutable_fencing()->set_epoch(ref.fencing.epoch);
  message.mutable_fencing()->set_counter(ref.fencing.counter);
  return message;
}

void WriteLimits(const std::vector<DeviceLimit>& limits,
                 google::protobuf::RepeatedPtrField<worker::v1::DeviceLimit>* message) {
  message->Clear();
  for (const DeviceLimit& limit : limits) {
    worker::v1::DeviceLimit* added = message->Add();
    added->set_device(limit.device);
    added->set_job_class(static_cast<v1::JobClass>(limit.job_class));
    added->set_max_running(limit.max_running);
  }
}

namespace {

void WriteBudgets(const std::vector<ServingBudget>& budgets,
                  google::protobuf::RepeatedPtrField<worker::v1::ServingBudget>* message) {
  for (const ServingBudget& budget : budgets) {
    worker::v1::ServingBudget* added = message->Add();
    added->set_device(budget.device);
    added->set_bytes(budget.bytes);
    added->set_sequence(budget.sequence);
  }
}

}  // namespace

void WriteWelcome(const WelcomeWorker& welcome, const LeaseTimes& times,
                  worker::v1::Welcome* message) {
  SetDuration(times.lease, message->mutable_lease());
  SetDuration(times.heartbeat_interval, message->mutable_heartbeat_interval());
  for (const AttemptRef& ref : welcome.keep) *message->add_keep() = WriteRef(ref);
  WriteLimits(welcome.limits, message->mutable_limits());
  WriteBudgets(welcome.serving_budgets, message->mutable_serving_budgets());
}

void WriteDelta(SessionOutput& output, worker::v1::SchedulerDelta* delta) {
  if (output.limits) WriteLimits(*output.limits, delta->mutable_limits());
  WriteBudgets(output.serving_budgets, delta->mutable_serving_budgets());
  for (Assignment& assignment : output.assignments) AddAssignment(assignment, delta);
  for (const CancelAttempt& cancel : output.cancels) {
    worker::v1::CancelAttempt* added = delta->add_cancels();
    *added->mutable_ref() = WriteRef(cancel.ref);
    added->set_checkpoint_first(cancel.checkpoint_first);
    if (!cancel.preempt) continue;
    added->set_preempt(true);
    SetDuration(absl::Microseconds(cancel.grace_us), added->mutable_grace());
  }
  for (const AttemptRef& ref : output.recalls) *delta->add_recalls() = WriteRef(ref);
  for (const AttemptRef& ref : output.acknowledgements) *delta->add_acknowledged() = WriteRef(ref);
  if (output.heartbeat_acknowledged != 0)
    delta->set_heartbeat_acknowledged(output.heartbeat_acknowledged);
}

}  // namespace switchyard::scheduler
