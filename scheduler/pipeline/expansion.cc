#include "scheduler/pipeline/expansion.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "scheduler/pipeline/field_path.h"
#include "scheduler/pipeline/wiring.h"
#include "scheduler/validation/references.h"
#include "switchyard/storage/v1/job_record.pb.h"

namespace switchyard::scheduler {
namespace {

using storage::v1::PipelineRecord;
using storage::v1::StepJobs;
using storage::v1::WiringRecord;

// Where a step's jobs are: stored ones by id, those of this expansion by place in it.
struct Where {
  bool known = false;
  bool in_submit = false;
  JobId first = 0;
  uint32_t count = 0;
};

class Expander {
 public:
  Expander(const PipelineRecord& record, const PipelinePlan& plan, const KnownItems& items)
      : record_(record), plan_(plan), items_(items), where_(plan.steps.size()) {}

  absl::StatusOr<Expansion> Expand() {
    uint64_t all = 0;
    for (const StepJobs& each : record_.steps()) {
      const int step = FindStep(record_.pipeline(), each.step());
      if (step >= 0) where_[step] = {true, false, each.first_job(), each.count()};
      all += each.count();
    }
    for (const int step : plan_.order) {
      if (where_[step].known) continue;
      if (!MayExpand(step)) {
        expansion_.complete = false;
        continue;
      }
      const uint32_t count = Count(step);
      all += count;
      if (all > kMostPipelineJobs) return TooMany(step, all);
      if (absl::Status status = AddJobs(step, count); !status.ok()) return status;
    }
    return std::move(expansion_);
  }

 private:
  const v1::PipelineStep& Step(int step) const { return record_.pipeline().steps(step); }

  bool MayExpand(int step) const {
    const auto& upstream = plan_.steps[step].upstream;
    if (!std::all_of(upstream.begin(), upstream.end(),
                     [&](int each) { return where_[each].known; })) {
      return false;
    }
    return plan_.steps[step].list_of < 0 || items_.count(Step(step).name()) != 0;
  }

  uint32_t Count(int step) const {
    const StepPlan& plan = plan_.steps[step];
    if (plan.paired_with >= 0) return where_[plan.paired_with].count;
    if (plan.list_of >= 0) return static_cast<uint32_t>(items_.at(Step(step).name()).size());
    return Step(step).has_for_each() ? Step(step).for_each().values().values_size() : 1;
  }

  absl::Status TooMany(int step, uint64_t jobs) const {
    return absl::InvalidArgumentError(absl::StrCat(
        "step \"", Step(step).name(), "\": the pipeline would have ", jobs, " jobs; at most ",
        kMostPipelineJobs, " are allowed. Fan out over a shorter list, or put more into an item"));
  }

  // The item of job `index` of a step, which may be that of the step it is paired with.
  const std::string* Item(int step, uint32_t index) const {
    while (plan_.steps[step].paired_with >= 0) step = plan_.steps[step].paired_with;
    if (Step(step).for_each().has_values()) {
      return &Step(step).for_each().values().values(static_cast<int>(index));
    }
    const auto known = items_.find(Step(step).name());
    return known == items_.end() ? nullptr : &known->second[index];
  }

  absl::Status AddJobs(int step, uint32_t count) {
    const JobId first = expansion_.jobs.size();
    StepJobs& jobs = expansion_.steps.emplace_back();
    jobs.set_step(Step(step).name());
    jobs.set_first_job(first);
    jobs.set_count(count);
    for (uint32_t i = 0; i < count; ++i) {
      if (absl::Status status = AddJob(step, i); !status.ok()) return status;
    }
    where_[step] = {true, true, first, count};
    return absl::OkStatus();
  }

  absl::Status AddJob(int step, uint32_t index) {
    StepJob& made = expansion_.jobs.emplace_back();
    made.job = Step(step).job();
    made.job.set_pipeline(record_.pipeline().id());
    made.job.set_step(Step(step).name());
    made.job.set_array_index(index);
    std::map<int, uint32_t> places;  // Of upstream steps in `depends_on`.
    for (const int upstream : plan_.steps[step].upstream) {
      const Where& where = where_[upstream];
      const bool paired = plan_.steps[step].paired_with == upstream;
      // A list that was empty is nothing to wait for.
      if (where.count == 0) continue;
      places[upstream] = static_cast<uint32_t>(made.depends_on.size());
      made.depends_on.push_back(
          {paired ? JobRange{where.first + index, 1} : JobRange{where.first, where.count},
           where.in_submit});
    }
    return Wire(step, index, places, made);
  }

  absl::Status Wire(int step, uint32_t index, const std::map<int, uint32_t>& places,
                    StepJob& made) const {
    WiringRecord wiring;
    for (const v1::StepInput& input : Step(step).inputs()) {
      if (input.has_item() || input.has_index()) {
        absl::Status status = SetItem(step, index, input, made.job);
        if (!status.ok()) return status;
        continue;
      }
      const int upstream = FindStep(
          record_.pipeline(), input.has_output() ? input.output().step() : input.artifact().step());
      const auto place = places.find(upstream);
      if (place == places.end()) continue;  // Of an empty list there are no values.
      WiringRecord::Wire& wire = *wiring.add_wires();
      wire.set_field(input.field());
      wire.set_dependency(place->second);
      if (input.has_output()) wire.set_output(input.output().field());
      if (input.has_artifact()) wire.set_artifact(input.artifact().name());
    }
    // An item may name a model or an artifact: looked up when the job begins.
    wiring.set_look_up(plan_.steps[step].takes_item && RefersToAnything(made.job));
    made.wiring = wiring.SerializeAsString();
    return absl::OkStatus();
  }

  absl::Status SetItem(int step, uint32_t index, const v1::StepInput& input, v1::Job& job) const {
    const absl::StatusOr<FieldPath> path = ParseFieldPath(*v1::Job::descriptor(), input.field());
    if (!path.ok()) return path.status();
    const std::string* item = Item(step, index);
    const std::string text = input.has_index() ? absl::StrCat(index) : item ? *item : "";
    const absl::StatusOr<FieldValue> value = ParseValue(text, TypeOf(path->last()));
    const absl::Status status = value.ok() ? WriteField(job, *path, {*value}) : value.status();
    if (status.ok()) return status;
    return absl::InvalidArgumentError(absl::StrCat("step \"", Step(step).name(), "\", item ", index,
                                                   ": ", input.field(), ": ", status.message()));
  }

  const PipelineRecord& record_;
  const PipelinePlan& plan_;
  const KnownItems& items_;
  std::vector<Where> where_;
  Expansion expansion_;
};

std::vector<std::string> ArtifactsOf(const v1::Job& job, absl::string_view prefix) {
  std::vector<std::string> items;
  for (const v1::OutputArtifact& output : job.outputs()) {
    if (absl::StartsWith(output.name(), prefix)) items.push_back(output.sha256());
  }
  return items;
}

}  // namespace

absl::StatusOr<Expansion> ExpandPipeline(const PipelineRecord& record, const PipelinePlan& plan,
                                         const KnownItems& known) {
  return Expander(record, plan, known).Expand();
}

std::vector<std::string> ItemsFrom(const v1::PipelineStep& step, const v1::Job& job) {
  if (step.for_each().has_artifacts()) {
    return ArtifactsOf(job, step.for_each().artifacts().name());
  }
  std::vector<std::string> items;
  const std::vector<FieldValue> values = ReadResult(job, step.for_each().output().field());
  if (values.size() == 1 && std::holds_alternative<std::string>(values[0])) {
    for (const absl::string_view line :
         absl::StrSplit(std::get<std::string>(values[0]), '\n', absl::SkipEmpty())) {
      items.emplace_back(line);
    }
    return items;
  }
  for (const FieldValue& value : values) items.push_back(FormatValue(value));
  return items;
}

}  // namespace switchyard::scheduler
