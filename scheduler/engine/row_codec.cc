#include "scheduler/engine/row_codec.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "switchyard/storage/v1/job_record.pb.h"

namespace switchyard::scheduler {
namespace {

using storage::v1::AttemptRecord;
using storage::v1::ChangeRecord;
using storage::v1::JobRecord;
using storage::v1::MemberRecord;
using storage::v1::OutputRecord;

// JobRecord.preemptible; 0: as the kind says.
constexpr uint32_t kPreemptible = 1;
constexpr uint32_t kNotPreemptible = 2;

void Encode(const AttemptImage& image, AttemptRecord& record) {
  record.set_number(image.number);
  record.set_worker(image.worker);
  record.set_device(image.device);
  record.set_device_name(image.device_name);
  record.set_dispatch_us(image.dispatch_us);
  record.set_start_us(image.start_us);
  record.set_end_us(image.end_us);
  record.set_outcome(static_cast<uint32_t>(image.outcome));
  record.set_error(image.error);
  record.set_epoch(image.fencing.epoch);
  record.set_counter(image.fencing.counter);
  record.set_resumed_from(image.resumed_from);
  for (const MemberImage& member : image.members) {
    MemberRecord* added = record.add_members();
    added->set_worker(member.worker);
    for (const std::string& device : member.devices) added->add_devices(device);
    added->set_outcome(static_cast<uint32_t>(member.outcome));
  }
  record.set_memory_granted_bytes(image.memory_granted_bytes);
  record.set_memory_peak_bytes(image.memory_peak_bytes);
}

void Decode(const AttemptRecord& record, AttemptImage& image) {
  image.number = record.number();
  image.worker = record.worker();
  image.device = record.device();
  image.device_name = record.device_name();
  image.dispatch_us = record.dispatch_us();
  image.start_us = record.start_us();
  image.end_us = record.end_us();
  image.outcome = static_cast<Outcome>(record.outcome());
  image.error = record.error();
  image.fencing = {record.epoch(), record.counter()};
  image.resumed_from = record.resumed_from();
  for (const MemberRecord& member : record.members()) {
    image.members.push_back({.worker = member.worker(),
                             .devices = {member.devices().begin(), member.devices().end()},
                             .outcome = static_cast<Outcome>(member.outcome())});
  }
  image.memory_granted_bytes = record.memory_granted_bytes();
  image.memory_peak_bytes = record.memory_peak_bytes();
}

void Encode(const StateChange& image, ChangeRecord& record) {
  record.set_number(image.number);
  record.set_state(static_cast<uint32_t>(image.state));
  record.set_reason(static_cast<uint32_t>(image.reason));
  record.set_time_us(image.time_us);
  record.set_attempt(image.attempt);
}

void Decode(const ChangeRecord& record, StateChange& image) {
  image.number = record.number();
  image.state = static_cast<JobState>(record.state());
  image.reason = static_cast<Reason>(record.reason());
  image.time_us = record.time_us();
  image.attempt = record.attempt();
}

void Encode(const OutputArtifact& image, OutputRecord& record) {
  record.set_name(image.name);
  record.set_sha256(image.sha256);
  record.set_size_bytes(image.size_bytes);
  record.set_media_type(image.media_type);
  record.set_attempt(image.attempt);
}

void Decode(const OutputRecord& record, OutputArtifact& image) {
  image.name = record.name();
  image.sha256 = record.sha256();
  image.size_bytes = record.size_bytes();
  image.media_type = record.media_type();
  image.attempt = record.attempt();
}

void Encode(const TimingsImage& image, JobRecord& record) {
  record.set_queued_us(image.queued_us);
  record.set_dispatched_us(image.dispatched_us);
  record.set_prepared_us(image.prepared_us);
  record.set_run_us(image.run_us);
  record.set_stored_us(image.stored_us);
}

void Decode(const JobRecord& record, TimingsImage& image) {
  image.queued_us = record.queued_us();
  image.dispatched_us = record.dispatched_us();
  image.prepared_us = record.prepared_us();
  image.run_us = record.run_us();
  image.stored_us = record.stored_us();
}

void Encode(const std::vector<JobRange>& ranges,
            google::protobuf::RepeatedPtrField<storage::v1::RangeRecord>& records) {
  for (const JobRange& range : ranges) {
    storage::v1::RangeRecord& record = *records.Add();
    record.set_first(range.first);
    record.set_count(range.count);
  }
}

void Decode(const google::protobuf::RepeatedPtrField<storage::v1::RangeRecord>& records,
            std::vector<JobRange>& ranges) {
  for (const storage::v1::RangeRecord& record : records) {
    ranges.push_back({record.first(), record.count()});
  }
}

void Encode(const JobLinks& links, storage::v1::LinksRecord& record) {
  Encode(links.depends_on, *record.mutable_depends_on());
  Encode(links.dependents, *record.mutable_dependents());
  record.set_wiring(links.wiring);
  record.set_unresolved(links.unresolved);
  record.set_reuse(links.reuse);
  record.set_inputs(links.inputs);
  record.set_reuse_key(links.reuse_key);
  record.set_reused_from(links.reused_from);
}

void Decode(const storage::v1::LinksRecord& record, JobLinks& links) {
  Decode(record.depends_on(), links.depends_on);
  Decode(record.dependents(), links.dependents);
  links.wiring = record.wiring();
  links.unresolved = record.unresolved();
  links.reuse = record.reuse();
  links.inputs = record.inputs();
  links.reuse_key = record.reuse_key();
  links.reused_from = record.reused_from();
}

void Encode(const JobImage& image, JobRecord& record) {
  record.set_reason(static_cast<uint32_t>(image.reason));
  record.set_progress(image.progress);
  record.set_message(image.message);
  record.set_error(image.error);
  record.set_error_code(image.error_code);
  record.set_device(image.device);
  record.set_model_key(image.model_key);
  record.set_labels(image.labels);
  record.set_labels_changed(image.labels_changed);
  record.set_stop_requested(image.stop_requested);
  record.set_create_us(image.create_us);
  record.set_start_us(image.start_us);
  record.set_end_us(image.end_us);
  record.set_not_before_us(image.not_before_us);
  record.set_expire_us(image.expire_us);
  record.set_timeout_us(image.timeout_us);
  record.set_retry_us(image.retry_us);
  record.set_lost_attempts(image.lost_attempts);
  record.set_lost_unstarted(image.lost_unstarted);
  record.set_failed_attempts(image.failed_attempts);
  record.set_preempted_attempts(image.preempted_attempts);
  record.set_device_count(image.device_count > 1 ? image.device_count : 0);
  if (image.preemptible.has_value()) {
    record.set_preemptible(*image.preemptible ? kPreemptible : kNotPreemptible);
  }
  record.set_attempt_count(image.attempt_count);
  record.set_change_count(image.change_count);
  for (const AttemptImage& attempt : image.attempts) Encode(attempt, *record.add_attempts());
  for (const StateChange& change : image.history) Encode(change, *record.add_history());
  for (const OutputArtifact& output : image.outputs) Encode(output, *record.add_outputs());
  Encode(image.timings, record);
  record.set_checkpoint(image.checkpoint);
  record.set_memory_bytes(image.memory_bytes);
  record.set_memory_raised_bytes(image.memory_raised_bytes);
  record.set_batch_limit(image.batch_limit);
  record.set_out_of_memory_attempts(image.out_of_memory_attempts);
  record.set_no_progress_us(image.no_progress_us);
  record.set_shape(image.shape);
  record.set_result(image.result);
  record.set_key(image.key);
  record.set_array(image.array.id);
  record.set_array_width(image.array.width);
  record.set_max_attempts(image.max_attempts);
  if (!image.links.empty()) Encode(image.links, *record.mutable_links());
}

void Decode(const JobRecord& record, JobImage& image) {
  image.reason = static_cast<Reason>(record.reason());
  image.progress = record.progress();
  image.message = record.message();
  image.error = record.error();
  image.error_code = record.error_code();
  image.device = record.device();
  image.model_key = record.model_key();
  image.labels = record.labels();
  image.labels_changed = record.labels_changed();
  image.stop_requested = record.stop_requested();
  image.create_us = record.create_us();
  image.start_us = record.start_us();
  image.end_us = record.end_us();
  image.not_before_us = record.not_before_us();
  image.expire_us = record.expire_us();
  image.timeout_us = record.timeout_us();
  image.retry_us = record.retry_us();
  image.lost_attempts = record.lost_attempts();
  image.lost_unstarted = record.lost_unstarted();
  image.failed_attempts = record.failed_attempts();
  image.preempted_attempts = record.preempted_attempts();
  image.device_count = static_cast<uint16_t>(std::max<uint32_t>(record.device_count(), 1));
  if (record.preemptible() != 0) image.preemptible = record.preemptible() == kPreemptible;
  image.attempt_count = record.attempt_count();
  image.change_count = record.change_count();
  image.attempts.resize(record.attempts_size());
  for (int i = 0; i < record.attempts_size(); ++i) Decode(record.attempts(i), image.attempts[i]);
  image.history.resize(record.history_size());
  for (int i = 0; i < record.history_size(); ++i) Decode(record.history(i), image.history[i]);
  image.outputs.resize(record.outputs_size());
  for (int i = 0; i < record.outputs_size(); ++i) Decode(record.outputs(i), image.outputs[i]);
  Decode(record, image.timings);
  image.checkpoint = record.checkpoint();
  image.memory_bytes = record.memory_bytes();
  image.memory_raised_bytes = record.memory_raised_bytes();
  image.batch_limit = record.batch_limit();
  image.out_of_memory_attempts = record.out_of_memory_attempts();
  image.no_progress_us = record.no_progress_us();
  image.shape = record.shape();
  image.result = record.result();
  image.key = record.key();
  image.array = {record.array(), record.array_width()};
  image.max_attempts = record.max_attempts();
  if (record.has_links()) Decode(record.links(), image.links);
}

}  // namespace

void EncodeUpdate(const JobImage& image, JobUpdate& row) {
  // Kept between calls: a cleared message reuses the memory of its strings and members.
  thread_local JobRecord record;
  record.Clear();
  Encode(image, record);
  row.id = image.id;
  row.state = static_cast<uint32_t>(image.state);
  row.priority = image.priority;
  // 0 means that the job lives, even where a clock begins at 0.
  row.end_ms = HasEnded(image.state) ? std::max<int64_t>(1, image.end_us / 1000) : 0;
  record.SerializeToString(&row.record);
}

void EncodeRow(const JobImage& image, JobRow& row) {
  EncodeUpdate(image, row);
  row.tenant = image.tenant;
  row.kind = image.kind;
  row.create_ms = image.create_us / 1000;
}

absl::Status DecodeUpdate(const JobUpdate& row, JobImage& image) {
  thread_local JobRecord record;
  if (!record.ParseFromString(row.record)) {
    return absl::DataLossError(
        absl::StrCat("the stored record of job ", FormatJobId(row.id),
                     " cannot be read; restore the scheduler's data folder from a backup"));
  }
  image = JobImage();
  image.id = row.id;
  image.state = static_cast<JobState>(row.state);
  image.priority = static_cast<uint8_t>(row.priority);
  Decode(record, image);
  return absl::OkStatus();
}

absl::Status DecodeRow(const JobRow& row, JobImage& image) {
  const absl::Status status = DecodeUpdate(row, image);
  image.tenant = row.tenant;
  image.kind = static_cast<uint16_t>(row.kind);
  return status;
}

}  // namespace switchyard::scheduler
