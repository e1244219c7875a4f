#include "scheduler/engine/assignment_maker.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/error.h"
#include "switchyard/v1/job.pb.h"

namespace switchyard::scheduler {
namespace {

// Errors that come back however often the read is repeated.
bool IsPermanent(const absl::Status& status) {
  return absl::IsDataLoss(status) || absl::IsNotFound(status);
}

void AppendVarint(uint64_t value, std::string& to) {
  for (; value >= 0x80; value >>= 7) to.push_back(static_cast<char>(value | 0x80));
  to.push_back(static_cast<char>(value));
}

// One field of a serialized message.
void AppendText(int field, absl::string_view value, std::string& to) {
  AppendVarint(field << 3 | 2, to);
  AppendVarint(value.size(), to);
  absl::StrAppend(&to, value);
}

void AppendExpireTime(int64_t expire_us, std::string& to) {
  // Seconds and nanoseconds are written though they are 0: left out, the spec's would stay.
  std::string time;
  AppendVarint(google::protobuf::Timestamp::kSecondsFieldNumber << 3, time);
  AppendVarint(static_cast<uint64_t>(expire_us / 1'000'000), time);
  AppendVarint(google::protobuf::Timestamp::kNanosFieldNumber << 3, time);
  AppendVarint(static_cast<uint64_t>(expire_us % 1'000'000 * 1000), time);
  AppendText(v1::Job::kExpireTimeFieldNumber, time, to);
}

// Spec bytes with what is not in the spec. A serialized message followed by another is their merge,
// so the spec need not be parsed and written again for every dispatch.
std::string JobBytes(JobId id, absl::string_view tenant, uint32_t priority,
                     absl::string_view spec) {
  std::string job;
  job.reserve(spec.size() + tenant.size() + 32);
  absl::StrAppend(&job, spec);
  AppendText(v1::Job::kIdFieldNumber, FormatJobId(id), job);
  AppendText(v1::Job::kTenantFieldNumber, tenant, job);
  AppendVarint(v1::Job::kPriorityFieldNumber << 3, job);
  AppendVarint(priority, job);
  return job;
}

void AppendNumber(int field, uint64_t value, std::string& to) {
  AppendVarint(field << 3, to);
  AppendVarint(value, to);
}

// What the job runs with in the place of what it was submitted with.
std::string ReplaceKind(absl::string_view spec, const std::string& inputs) {
  v1::Job job;
  if (!job.ParseFromArray(spec.data(), static_cast<int>(spec.size()))) return std::string(spec);
  job.clear_kind();
  job.MergeFromString(inputs);
  return job.SerializeAsString();
}

// A map cannot be replaced by appending: this spec is written anew.
std::string ReplaceLabels(absl::string_view spec, const std::string& labels) {
  v1::Job job;
  if (!job.ParseFromArray(spec.data(), static_cast<int>(spec.size()))) return std::string(spec);
  job.clear_labels();
  job.MergeFromString(labels);
  return job.SerializeAsString();
}

}  // namespace

void AssignmentMaker::Expect(std::vector<AssignAttempt> attempts) {
  entries_.resize(attempts.size());
  index_.reserve(attempts.size());
  for (size_t i = 0; i < attempts.size(); ++i) {
    // Those of a gang's workers stand side by side: the first is found.
    index_.try_emplace(attempts[i].ref.job, i);
    entries_[i].attempt = std::move(attempts[i]);
  }
}

void AssignmentMaker::Note(const JobImage& image, size_t insert) {
  if (index_.empty()) return;
  const auto found = index_.find(image.id);
  if (found == index_.end()) return;
  for (size_t i = found->second; i < entries_.size(); ++i) {
    if (entries_[i].attempt.ref.job != image.id) return;
    Note(image, insert, entries_[i]);
  }
}

void AssignmentMaker::Note(const JobImage& image, size_t insert, Entry& entry) {
  entry.tenant = image.tenant;
  entry.kind = image.kind;
  entry.priority = image.priority;
  entry.expire_us = image.expire_us;
  entry.repeated = image.change_count > 1;
  entry.labels_changed = image.labels_changed;
  if (image.labels_changed) entry.labels = image.labels;
  entry.inputs = image.links.inputs;
  entry.array = image.array.id;
  entry.insert = insert;
}

absl::Status AssignmentMaker::Make(const WriteBatch& batch, const Now& now, uint64_t& specs_read) {
  absl::Status status = FindSpecs(specs_read);
  if (!status.ok()) return status;
  made_.reserve(entries_.size());
  for (Entry& entry : entries_) {
    const bool inserted = entry.insert != kNoInsert;
    if (entry.failure.ok()) {
      entry.failure = Complete(entry, inserted ? batch.inserts[entry.insert].spec : entry.spec);
    }
    if (entry.failure.ok()) continue;
    if (!IsPermanent(entry.failure)) return entry.failure;
    GiveUp(entry, now);
  }
  return absl::OkStatus();
}

absl::Status AssignmentMaker::FindSpecs(uint64_t& specs_read) {
  std::vector<Entry*> missing;
  for (Entry& entry : entries_) {
    if (entry.insert != kNoInsert) continue;
    if (!specs_.Take(entry.attempt.ref.job, entry.spec)) missing.push_back(&entry);
  }
  if (missing.empty()) return absl::OkStatus();
  specs_read = missing.size();
  const absl::Status status = ReadSpecs(missing);
  if (!IsPermanent(status)) return status;
  // One of them is damaged: each by itself tells which.
  for (Entry* entry : missing) {
    entry->failure = ReadSpecs({entry});
    if (!entry->failure.ok() && !IsPermanent(entry->failure)) return entry->failure;
  }
  return absl::OkStatus();
}

absl::Status AssignmentMaker::ReadSpecs(absl::Span<Entry* const> entries) {
  std::vector<JobId> ids;
  ids.reserve(entries.size());
  for (const Entry* entry : entries) ids.push_back(entry->attempt.ref.job);
  absl::StatusOr<std::vector<std::string>> specs = store_.GetSpecs(ids);
  if (!specs.ok()) return specs.status();
  for (size_t i = 0; i < entries.size(); ++i) entries[i]->spec = std::move((*specs)[i]);
  return absl::OkStatus();
}

absl::Status AssignmentMaker::Complete(Entry& entry, absl::string_view spec) {
  Assignment assignment;
  std::string replaced;
  if (!entry.inputs.empty()) {
    replaced = ReplaceKind(spec, entry.inputs);
    spec = replaced;
  }
  if (ModelLinks::MayNeedModel(entry.kind)) {
    absl::StatusOr<LinkedModels> models = models_.Find(entry.tenant, spec);
    if (!models.ok()) return models.status();
    assignment.model = std::move(models->model);
    assignment.initial_model = std::move(models->initial_model);
  }
  const JobId job = entry.attempt.ref.job;
  if (entry.labels_changed) {
    assignment.job = JobBytes(job, entry.tenant, entry.priority, ReplaceLabels(spec, entry.labels));
  } else {
    assignment.job = JobBytes(job, entry.tenant, entry.priority, spec);
  }
  // `:retry` takes an expire_time away that has passed.
  if (entry.repeated) AppendExpireTime(entry.expire_us, assignment.job);
  if (entry.array != 0) {
    AppendText(v1::Job::kArrayFieldNumber, FormatJobId(entry.array), assignment.job);
    AppendNumber(v1::Job::kArrayIndexFieldNumber, job - entry.array, assignment.job);
  }
  assignment.attempt = std::move(entry.attempt);
  made_.push_back(std::move(assignment));
  return absl::OkStatus();
}

void AssignmentMaker::GiveUp(const Entry& entry, const Now& now) {
  Finished finished;
  finished.outcome = Outcome::kFailed;
  finished.permanent = true;
  finished.error = ToProto(entry.failure).SerializeAsString();
  finished.error_message = std::string(entry.failure.message());
  finished.start_us = now.wall_us;
  finished.end_us = now.wall_us;
  finished.device = entry.attempt.device;
  WorkerReports reports;
  reports.session = entry.attempt.session;
  reports.reports.push_back({entry.attempt.ref, std::move(finished)});
  given_up_.push_back(std::move(reports));
}

}  // namespace switchyard::scheduler
