#include "scheduler/service/pipelines.h"

#include <algorithm>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/error.h"
#include "scheduler/engine/row_codec.h"
#include "scheduler/service/new_job.h"
#include "scheduler/service/submit_rules.h"
#include "scheduler/validation/job_spec.h"
#include "scheduler/validation/references.h"

namespace switchyard::scheduler {
namespace {

using storage::v1::PipelineRecord;
using storage::v1::StepJobs;

// Ordered by time, as job ids are. The low bits are drawn: two of one millisecond differ.
std::string NewPipelineId(Clock& clock) {
  constexpr int kCounterBits = 20;
  const auto ms = static_cast<JobId>(absl::ToUnixMillis(clock.Now()));
  std::random_device random;
  return FormatJobId(ms << kCounterBits | (random() & ((1u << kCounterBits) - 1)));
}

absl::Status CheckStep(const Backend& backend, const Principal& principal, const StepPlan& plan,
                       int index, v1::Job& job) {
  const FieldFaults path(absl::StrCat("pipeline.steps[", index, "].job"));
  absl::Status status = CheckAllowed(job, RulesFor(backend, principal), path);
  // What the job refers to may be what is wired: looked up when it begins.
  if (!status.ok() || plan.wired || plan.takes_item || !RefersToAnything(job)) return status;
  return ResolveReferences(principal.tenant, path, backend.references, job);
}

void FillSubmit(const PipelineRecord& record, Expansion expansion, Input& input) {
  SubmitJobs submit;
  submit.jobs.reserve(expansion.jobs.size());
  for (StepJob& step : expansion.jobs) {
    NewJob& job = submit.jobs.emplace_back(MakeNewJob(step.job));
    job.key = record.key();
    job.depends_on = std::move(step.depends_on);
    job.wiring = std::move(step.wiring);
    if (!job.wiring.empty()) job.model_key.clear();
    input.specs.push_back(step.job.SerializeAsString());
  }
  input.event = std::move(submit);
  input.tenant = record.pipeline().tenant();
}

// Adds the steps that have jobs now, whose ids follow `first`.
void AddSteps(const std::vector<StepJobs>& steps, JobId first, PipelineRecord& record) {
  for (const StepJobs& step : steps) {
    StepJobs& added = *record.add_steps();
    added = step;
    added.set_first_job(step.first_job() + first);
  }
}

void WriteStatus(const StepJobs& jobs, const JobCounts& counts, v1::StepStatus* status) {
  if (jobs.count() > 0) status->set_first_job(FormatJobId(jobs.first_job()));
  status->set_jobs(jobs.count());
  WriteCounts(counts, status);
}

std::string DescribeFailure(const Backend& backend, const std::string& step, JobId job) {
  std::string text = absl::StrCat("step \"", step, "\": job ", FormatJobId(job));
  const absl::StatusOr<JobRow> row = backend.store.GetJob(job);
  JobImage image;
  if (row.ok() && DecodeRow(*row, image).ok() && !image.message.empty()) {
    absl::StrAppend(&text, ": ", image.message);
  }
  return text;
}

}  // namespace

DocumentKey PipelineKey(const std::string& tenant, const std::string& id) {
  return {kPipelineCollection, tenant, id};
}

absl::StatusOr<PreparedPipeline> PreparePipeline(const Backend& backend, const Principal& principal,
                                                 v1::Pipeline pipeline) {
  FieldFaults faults("pipeline");
  std::vector<bool> stated;  // By step: its jobs' priority is not the default.
  for (const v1::PipelineStep& step : pipeline.steps())
    stated.push_back(step.job().priority() != 0);
  const PipelinePlan plan = PlanPipeline(pipeline, faults);
  if (!faults.empty()) return faults.ToStatus();
  for (int i = 0; i < pipeline.steps_size(); ++i) {
    v1::Job& job = *pipeline.mutable_steps(i)->mutable_job();
    BoundDefaultPriority(stated[i], principal.highest_priority, job);
    absl::Status status = CheckStep(backend, principal, plan.steps[i], i, job);
    if (!status.ok()) return status;
  }
  PreparedPipeline prepared;
  prepared.record.set_create_ms(absl::ToUnixMillis(backend.clock.Now()));
  prepared.record.set_highest_priority(principal.highest_priority);
  prepared.record.set_key(principal.key);
  pipeline.set_tenant(principal.tenant);
  pipeline.set_id(NewPipelineId(backend.clock));
  *prepared.record.mutable_pipeline() = std::move(pipeline);
  absl::StatusOr<Expansion> expansion = ExpandPipeline(prepared.record, plan, {});
  if (!expansion.ok()) return expansion.status();
  prepared.expansion = *std::move(expansion);
  return prepared;
}

Input MakePipelineInput(PreparedPipeline prepared, bool validate_only) {
  Input input;
  const std::vector<StepJobs> steps = prepared.expansion.steps;
  FillSubmit(prepared.record, std::move(prepared.expansion), input);
  std::get<SubmitJobs>(input.event).validate_only = validate_only;
  if (validate_only) return input;
  input.documents = [steps, record = std::move(prepared.record)](
                        const CommandResult& result, std::vector<DocumentWrite>& documents) {
    PipelineRecord stored = record;
    AddSteps(steps, result.job, stored);
    documents.push_back({PipelineKey(stored.pipeline().tenant(), stored.pipeline().id()),
                         stored.SerializeAsString()});
  };
  return input;
}

Input MakeExpansionInput(const PipelineRecord& record, Expansion expansion) {
  Input input;
  const std::vector<StepJobs> steps = expansion.steps;
  const DocumentKey key = PipelineKey(record.pipeline().tenant(), record.pipeline().id());
  FillSubmit(record, std::move(expansion), input);
  input.prepare = [key, before = record.SerializeAsString()](DrainView& view, Input&) {
    const auto found = view.FindDocument(key);
    if (!found.ok()) return found.status();
    if (found->has_value() && (*found)->bytes == before) return absl::OkStatus();
    return absl::AbortedError("the pipeline has changed meanwhile");
  };
  input.documents = [steps, key, record](const CommandResult& result,
                                         std::vector<DocumentWrite>& documents) {
    PipelineRecord stored = record;
    AddSteps(steps, result.job, stored);
    documents.push_back({key, stored.SerializeAsString()});
  };
  return input;
}

absl::StatusOr<PipelineRecord> ParsePipelineRecord(const DocumentRow& row) {
  PipelineRecord record;
  if (record.ParseFromString(row.bytes)) return record;
  return absl::DataLossError(absl::StrCat("the stored pipeline ", row.key.id, " cannot be read"));
}

absl::StatusOr<PipelineRecord> FindPipeline(const Backend& backend, const std::string& tenant,
                                            const std::string& id) {
  const auto row = backend.store.GetDocument(PipelineKey(tenant, id));
  if (!row.ok()) return row.status();
  if (!row->has_value()) return NotFound("pipeline", id);
  return ParsePipelineRecord(**row);
}

bool IsExpanded(const PipelineRecord& record) {
  return record.steps_size() == record.pipeline().steps_size();
}

absl::Status ShowPipeline(const Backend& backend, const JobCounter& counter,
                          const PipelineRecord& record, v1::Pipeline* to) {
  *to = record.pipeline();
  to->mutable_create_time()->set_seconds(record.create_ms() / 1000);
  to->mutable_create_time()->set_nanos(static_cast<int32_t>(record.create_ms() % 1000 * 1'000'000));
  uint32_t live = 0;
  uint32_t unsuccessful = 0;
  JobId failed = 0;
  std::string failed_step;
  for (const StepJobs& jobs : record.steps()) {
    const absl::StatusOr<JobCounts> counts = counter.Count({jobs.first_job(), jobs.count()});
    if (!counts.ok()) return counts.status();
    const int step = FindStep(record.pipeline(), jobs.step());
    if (step >= 0) WriteStatus(jobs, *counts, to->mutable_steps(step)->mutable_status());
    live += counts->live();
    unsuccessful += counts->failed + counts->cancelled;
    // What failed by itself comes before what was cancelled because of it.
    if (counts->failed > 0 && (failed == 0 || counts->first_failed < failed)) {
      failed = counts->first_failed;
      failed_step = jobs.step();
    }
  }
  const bool broken = unsuccessful > 0 || !record.expansion_error().empty();
  if (live > 0 || (!broken && !record.cancelled() && !IsExpanded(record))) {
    to->set_state(v1::Pipeline::RUNNING);
  } else if (record.cancelled() && (broken || !IsExpanded(record))) {
    to->set_state(v1::Pipeline::CANCELLED);
  } else {
    to->set_state(broken ? v1::Pipeline::FAILED : v1::Pipeline::SUCCEEDED);
  }
  to->set_message(record.expansion_error());
  if (failed != 0) to->set_message(DescribeFailure(backend, failed_step, failed));
  return absl::OkStatus();
}

}  // namespace switchyard::scheduler
