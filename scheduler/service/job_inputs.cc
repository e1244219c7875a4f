#include "scheduler/service/job_inputs.h"

#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/hash/sha256.h"
#include "common/status/error.h"
#include "scheduler/engine/row_codec.h"
#include "scheduler/pipeline/wiring.h"
#include "scheduler/service/new_job.h"
#include "scheduler/service/request_identity.h"
#include "scheduler/validation/job_spec.h"
#include "scheduler/watch/job_view.h"
#include "switchyard/storage/v1/job_record.pb.h"

namespace switchyard::scheduler {
namespace {

// Errors that another try may not meet.
bool MayPass(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status) ||
         absl::IsResourceExhausted(status) || absl::IsInternal(status);
}

// The job with its kind and nothing else: what decides its result.
v1::Job KindAlone(v1::Job job) {
  v1::Job alone;
  const auto* oneof = v1::Job::descriptor()->FindOneofByName("kind");
  const auto* field = job.GetReflection()->GetOneofFieldDescriptor(job, oneof);
  if (field == nullptr) return alone;
  alone.GetReflection()
      ->MutableMessage(&alone, field)
      ->CopyFrom(job.GetReflection()->GetMessage(job, field));
  return alone;
}

}  // namespace

struct StoredInputs::Work {
  JobImage image;
  v1::Job job;  // As submitted.
  storage::v1::WiringRecord wiring;
};

absl::StatusOr<InputsResolved> StoredInputs::Resolve(JobId id) {
  InputsResolved resolved{.job = id};
  const auto give_up = [&](const absl::Status& status) -> absl::StatusOr<InputsResolved> {
    if (MayPass(status)) return status;
    resolved.error_code = static_cast<int32_t>(status.code());
    resolved.error_message = std::string(status.message());
    return resolved;
  };
  const absl::StatusOr<JobRow> row = store_.GetJob(id);
  if (!row.ok()) return give_up(row.status());
  Work work;
  if (absl::Status status = DecodeRow(*row, work.image); !status.ok()) return give_up(status);
  if (!work.job.ParseFromString(row->spec) ||
      !work.wiring.ParseFromString(work.image.links.wiring)) {
    return give_up(absl::DataLossError("the stored job cannot be read"));
  }
  v1::Job job = work.job;
  if (!work.image.links.wiring.empty()) {
    if (absl::Status status = Wire(work, job); !status.ok()) return give_up(status);
    resolved.inputs = KindAlone(job).SerializeAsString();
  }
  resolved.model_key = MakeNewJob(job).model_key;
  if (!work.image.links.reuse) return resolved;
  resolved.reuse_key = Sha256Bytes(DeterministicBytes(KindAlone(std::move(job))));
  if (absl::Status status = FindEqual(work, resolved); !status.ok()) return give_up(status);
  return resolved;
}

absl::Status StoredInputs::Wire(const Work& work, v1::Job& job) {
  const auto& ranges = work.image.links.depends_on;
  const auto upstream = [&](uint32_t dependency) -> absl::StatusOr<std::vector<v1::Job>> {
    if (dependency >= ranges.size()) return absl::DataLossError("its wiring cannot be read");
    return Upstream(ranges[dependency]);
  };
  if (absl::Status status = ApplyWires(work.wiring, upstream, job); !status.ok()) return status;
  FieldFaults faults("job");
  NormalizeJob(job, faults);
  if (!faults.empty()) return faults.ToStatus();
  return ResolveReferences(work.image.tenant, faults, references_, job);
}

absl::StatusOr<std::vector<v1::Job>> StoredInputs::Upstream(const JobRange& range) {
  std::vector<JobId> ids;
  for (JobId id = range.first; id < range.first + range.count; ++id) ids.push_back(id);
  const absl::StatusOr<std::vector<JobRow>> rows = store_.GetJobs(ids);
  if (!rows.ok()) return rows.status();
  if (rows->size() != ids.size()) {
    return absl::NotFoundError(
        absl::StrCat("a job it depends on was deleted, of those from ", FormatJobId(range.first)));
  }
  std::vector<v1::Job> jobs;
  for (const JobRow& row : *rows) {
    absl::StatusOr<v1::Job> job = MakeJob(row);
    if (!job.ok()) return job.status();
    jobs.push_back(*std::move(job));
  }
  return jobs;
}

absl::Status StoredInputs::FindEqual(const Work& work, InputsResolved& resolved) {
  const auto document = store_.GetDocument(
      {kReuseCollection, work.image.tenant, absl::BytesToHexString(resolved.reuse_key)});
  if (!document.ok()) return document.status();
  if (!document->has_value()) return absl::OkStatus();
  const JobId earlier = ParseJobId((*document)->bytes).value_or(0);
  const absl::StatusOr<JobRow> row = store_.GetJob(earlier);
  // Deleted since: there is nothing to take.
  if (absl::IsNotFound(row.status())) return absl::OkStatus();
  if (!row.ok()) return row.status();
  JobImage image;
  if (absl::Status status = DecodeRow(*row, image); !status.ok()) return status;
  if (image.tenant != work.image.tenant || image.state != JobState::kSucceeded) {
    return absl::OkStatus();
  }
  resolved.reused_from = earlier;
  resolved.result = std::move(image.result);
  resolved.outputs = std::move(image.outputs);
  return absl::OkStatus();
}

}  // namespace switchyard::scheduler
