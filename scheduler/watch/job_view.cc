#include "scheduler/watch/job_view.h"

#include "absl/strings/str_cat.h"
#include "common/id/job_id.h"
#include "scheduler/engine/row_codec.h"

namespace switchyard::scheduler {
namespace {

constexpr int64_t kMicrosPerSecond = 1'000'000;

// Timestamp or Duration. No time of ours lies before 1970.
template <typename Proto>
void SetMicros(int64_t micros, Proto* proto) {
  proto->set_seconds(micros / kMicrosPerSecond);
  proto->set_nanos(static_cast<int32_t>(micros % kMicrosPerSecond * 1000));
}

void AddAttempt(const AttemptImage& from, v1::Attempt* to) {
  to->set_number(from.number);
  to->set_worker(from.worker);
  to->set_device(from.device);
  to->set_device_name(from.device_name);
  if (from.dispatch_us != 0) SetMicros(from.dispatch_us, to->mutable_dispatch_time());
  if (from.start_us != 0) SetMicros(from.start_us, to->mutable_start_time());
  if (from.end_us != 0) SetMicros(from.end_us, to->mutable_end_time());
  to->set_outcome(static_cast<v1::Attempt::Outcome>(from.outcome));
  if (!from.error.empty()) to->mutable_error()->ParseFromString(from.error);
  to->set_epoch(from.fencing.epoch);
  to->set_counter(from.fencing.counter);
  to->set_resumed_from(from.resumed_from);
  uint32_t rank = 0;
  for (const MemberImage& member : from.members) {
    v1::Member* added = to->add_members();
    added->set_worker(member.worker);
    for (const std::string& device : member.devices) added->add_devices(device);
    added->set_rank(rank);
    added->set_outcome(static_cast<v1::Attempt::Outcome>(member.outcome));
    rank += static_cast<uint32_t>(member.devices.size());
  }
  to->set_memory_granted_bytes(from.memory_granted_bytes);
  to->set_memory_peak_bytes(from.memory_peak_bytes);
}

void AddChange(const StateChange& from, v1::StateChange* to) {
  to->set_number(from.number);
  to->set_state(static_cast<v1::Job::State>(from.state));
  to->set_reason(static_cast<v1::Job::Reason>(from.reason));
  SetMicros(from.time_us, to->mutable_time());
  to->set_attempt(from.attempt);
}

void AddTimings(const TimingsImage& from, v1::Timings* to) {
  SetMicros(from.queued_us, to->mutable_queued());
  SetMicros(from.dispatched_us, to->mutable_dispatched());
  SetMicros(from.prepared_us, to->mutable_prepared());
  SetMicros(from.run_us, to->mutable_run());
  SetMicros(from.stored_us, to->mutable_stored());
}

void AddOutput(const OutputArtifact& from, v1::OutputArtifact* to) {
  to->set_name(from.name);
  to->set_sha256(from.sha256);
  to->set_size_bytes(from.size_bytes);
  to->set_media_type(from.media_type);
  to->set_attempt(from.attempt);
}

void AddError(const JobImage& image, v1::Job* job) {
  if (!image.error.empty()) {
    job->mutable_error()->ParseFromString(image.error);
  } else if (image.error_code != 0) {
    job->mutable_error()->set_code(image.error_code);
    job->mutable_error()->set_message(image.message);
  }
}

void AddOutcome(const JobImage& image, v1::Job* job) {
  job->set_state(static_cast<v1::Job::State>(image.state));
  job->set_reason(static_cast<v1::Job::Reason>(image.reason));
  job->set_message(image.message);
  AddError(image, job);
  // Nothing but a result is in these bytes: they are checked when a worker sends them.
  if (!image.result.empty()) job->MergeFromString(image.result);
}

void AddIdentity(const JobImage& image, v1::Job* job) {
  job->set_id(FormatJobId(image.id));
  job->set_tenant(image.tenant);
  job->set_key(image.key);
  job->set_priority(image.priority);
  job->set_device(image.device);
  SetMicros(image.create_us, job->mutable_create_time());
}

// Of many thousands that a wide step waits for not all are told.
constexpr uint32_t kMostDependenciesTold = 256;

void AddLinks(const JobImage& image, v1::Job* job) {
  job->clear_depends_on();
  for (const JobRange& range : image.links.depends_on) {
    for (uint32_t i = 0; i < range.count && i < kMostDependenciesTold; ++i) {
      job->add_depends_on(FormatJobId(range.first + i));
    }
  }
  if (image.links.reused_from != 0) job->set_reused_from(FormatJobId(image.links.reused_from));
  if (image.array.id == 0) return;
  job->set_array(FormatJobId(image.array.id));
  job->set_array_index(static_cast<uint32_t>(image.id - image.array.id));
}

void AddLists(const JobImage& image, v1::Job* job) {
  for (const AttemptImage& attempt : image.attempts) AddAttempt(attempt, job->add_attempts());
  for (const StateChange& change : image.history) AddChange(change, job->add_history());
  for (const OutputArtifact& output : image.outputs) AddOutput(output, job->add_outputs());
  if (image.attempt_count > 0) AddTimings(image.timings, job->mutable_timings());
}

}  // namespace

absl::StatusOr<v1::Job> MakeJob(const JobImage& image, absl::string_view spec) {
  v1::Job job;
  if (!job.ParseFromArray(spec.data(), static_cast<int>(spec.size()))) {
    return absl::DataLossError(
        absl::StrCat("the stored spec of job ", FormatJobId(image.id), " cannot be read"));
  }
  AddIdentity(image, &job);
  job.set_phase(static_cast<v1::Job::Phase>(image.phase));
  job.set_progress(image.progress);
  if (image.start_us != 0) SetMicros(image.start_us, job.mutable_start_time());
  if (image.end_us != 0) SetMicros(image.end_us, job.mutable_end_time());
  if (image.labels_changed) {
    job.clear_labels();
    job.MergeFromString(image.labels);
  }
  if (!image.links.inputs.empty()) {
    job.clear_kind();
    job.MergeFromString(image.links.inputs);
  }
  AddOutcome(image, &job);
  AddLists(image, &job);
  AddLinks(image, &job);
  return job;
}

absl::StatusOr<v1::Job> MakeJob(const JobRow& row) {
  JobImage image;
  if (absl::Status status = DecodeRow(row, image); !status.ok()) return status;
  return MakeJob(image, row.spec);
}

void WriteResult(const JobImage& image, v1::Job* job) {
  job->set_id(FormatJobId(image.id));
  AddOutcome(image, job);
}

v1::JobEvent StateEvent(const JobImage& image, const StateChange& change) {
  v1::JobEvent event;
  SetMicros(change.time_us, event.mutable_time());
  if (change.number == image.change_count) {
    if (absl::StatusOr<v1::Job> whole = MakeJob(image, ""); whole.ok()) {
      *event.mutable_state() = std::move(*whole);
      return event;
    }
  }
  v1::Job* job = event.mutable_state();
  AddIdentity(image, job);
  job->set_state(static_cast<v1::Job::State>(change.state));
  job->set_reason(static_cast<v1::Job::Reason>(change.reason));
  return event;
}

void DropBytes(v1::Job& job) {
  if (job.has_noop()) job.mutable_noop()->clear_payload();
  if (job.has_noop_result()) job.mutable_noop_result()->clear_payload();
  // Clearing inline data would leave a spec that looks as if it had no input; empty data says that
  // there was some.
  if (job.has_predict() && job.predict().has_data()) job.mutable_predict()->set_data("");
}

std::string EncodeLabels(const v1::Job& job) {
  v1::Job labels;
  *labels.mutable_labels() = job.labels();
  return labels.SerializeAsString();
}

}  // namespace switchyard::scheduler
