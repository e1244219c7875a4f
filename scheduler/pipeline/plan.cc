#include "scheduler/pipeline/plan.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/kind/kind.h"
#include "scheduler/pipeline/field_path.h"
#include "scheduler/pipeline/step_order.h"
#include "scheduler/pipeline/step_sample.h"
#include "scheduler/validation/excerpt.h"
#include "scheduler/validation/job_spec.h"

namespace switchyard::scheduler {
namespace {

constexpr int kMostWires = 64;
constexpr int kMostAfter = 64;
constexpr size_t kMostItemBytes = 4096;
constexpr size_t kMostNameBytes = 255;

bool IsStepName(absl::string_view name) {
  const auto fine = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  };
  return !name.empty() && name.size() <= 63 && std::all_of(name.begin(), name.end(), fine);
}

std::string StepNames(const v1::Pipeline& pipeline) {
  std::vector<absl::string_view> names;
  for (const v1::PipelineStep& step : pipeline.steps()) names.push_back(step.name());
  return std::string(Excerpt(absl::StrJoin(names, ", ")));
}

// Checks one pipeline. One object, since everything needs the steps and adds to the same faults.
class Planner {
 public:
  Planner(v1::Pipeline& pipeline, FieldFaults& faults) : pipeline_(pipeline), faults_(faults) {
    plan_.steps.resize(pipeline.steps_size());
  }

  PipelinePlan Plan() {
    CheckNames();
    for (int i = 0; i < pipeline_.steps_size() && !faults_.full(); ++i) CheckStep(i);
    if (faults_.empty()) CheckCycles(pipeline_, plan_, faults_);
    if (faults_.empty()) CheckCount(pipeline_, plan_, faults_);
    if (faults_.empty()) plan_.order = OrderSteps(pipeline_, plan_);
    return std::move(plan_);
  }

 private:
  const v1::PipelineStep& step(int i) const { return pipeline_.steps(i); }
  static std::string At(int i, absl::string_view field) {
    return absl::StrCat("steps[", i, "].", field);
  }

  void CheckNames() {
    if (pipeline_.name().size() > kMostNameBytes) {
      faults_.Add("name", absl::StrCat("must be at most ", kMostNameBytes, " bytes"));
    }
    if (pipeline_.steps_size() < 1 || pipeline_.steps_size() > kMostSteps) {
      faults_.Add("steps", absl::StrCat("must be 1 to ", kMostSteps, "; there are ",
                                        pipeline_.steps_size()));
    }
    std::set<std::string> seen;
    for (int i = 0; i < pipeline_.steps_size() && !faults_.full(); ++i) {
      if (!IsStepName(step(i).name())) {
        faults_.Add(At(i, "name"), "must be 1 to 63 of [a-z0-9_-]");
      } else if (!seen.insert(step(i).name()).second) {
        faults_.Add(At(i, "name"), absl::StrCat("\"", step(i).name(), "\" names another step too"));
      }
    }
  }

  void CheckStep(int i) {
    pipeline_.mutable_steps(i)->clear_status();
    if (step(i).after_size() > kMostAfter || step(i).inputs_size() > kMostWires) {
      faults_.Add(At(i, "inputs"), absl::StrCat("a step has at most ", kMostAfter, " `after` and ",
                                                kMostWires, " inputs"));
      return;
    }
    for (int k = 0; k < step(i).after_size(); ++k) {
      Upstream(i, step(i).after(k), absl::StrCat("after[", k, "]"));
    }
    CheckForEach(i);
    std::vector<LateField> singles;
    for (int k = 0; k < step(i).inputs_size(); ++k) CheckInput(i, k, singles);
    CheckJob(i, singles);
  }

  // The step called `name`, as one that step i waits for; -1 with a fault.
  int Upstream(int i, absl::string_view name, absl::string_view field) {
    const int found = FindStep(pipeline_, name);
    if (found < 0 || found == i) {
      faults_.Add(
          At(i, field),
          absl::StrCat(found == i ? "a step cannot wait for itself: \"" : "there is no step \"",
                       Excerpt(name), "\"; there are: ", StepNames(pipeline_)));
      return -1;
    }
    std::vector<int>& upstream = plan_.steps[i].upstream;
    const auto place = std::lower_bound(upstream.begin(), upstream.end(), found);
    if (place == upstream.end() || *place != found) upstream.insert(place, found);
    return found;
  }

  void CheckForEach(int i) {
    if (!step(i).has_for_each()) return;
    const v1::ForEach& each = step(i).for_each();
    switch (each.items_case()) {
      case v1::ForEach::kValues:
        return CheckValues(i, each.values());
      case v1::ForEach::kStep: {
        const int from = Upstream(i, each.step(), "for_each.step");
        plan_.steps[i].paired_with = from;
        if (from >= 0 && !step(from).has_for_each()) {
          faults_.Add(At(i, "for_each.step"),
                      absl::StrCat("step \"", each.step(), "\" is one job: it has no items"));
        }
        return;
      }
      case v1::ForEach::kOutput:
        return CheckList(i, each.output().step(), "for_each.output", &each.output());
      case v1::ForEach::kArtifacts:
        return CheckList(i, each.artifacts().step(), "for_each.artifacts", nullptr);
      case v1::ForEach::ITEMS_NOT_SET:
        faults_.Add(At(i, "for_each"), "must have values, step, output or artifacts");
    }
  }

  void CheckValues(int i, const v1::ForEach::Values& values) {
    const auto count = static_cast<uint32_t>(values.values_size());
    if (count < 1 || count > kMostPipelineJobs) {
      faults_.Add(At(i, "for_each.values"),
                  absl::StrCat("must be 1 to ", kMostPipelineJobs, "; there are ", count));
    }
    for (const std::string& value : values.values()) {
      if (value.size() <= kMostItemBytes) continue;
      faults_.Add(At(i, "for_each.values"),
                  absl::StrCat("each must be at most ", kMostItemBytes, " bytes"));
      return;
    }
  }

  void CheckList(int i, absl::string_view name, absl::string_view field,
                 const v1::StepOutput* output) {
    const int from = Upstream(i, name, absl::StrCat(field, ".step"));
    if (from < 0) return;
    plan_.steps[i].list_of = from;
    if (step(from).has_for_each()) {
      faults_.Add(At(i, field), absl::StrCat("step \"", name,
                                             "\" must be one job; use for_each."
                                             "step to go on with each of its"));
    }
    if (output == nullptr) return;
    const absl::StatusOr<FieldPath> path = OutputPath(i, from, output->field(), field);
    if (!path.ok() || path->IsList() || TypeOf(path->last()) == ValueType::kText) return;
    faults_.Add(At(i, field),
                absl::StrCat("\"", output->field(), "\" is neither a list nor a text"));
  }

  absl::StatusOr<FieldPath> OutputPath(int i, int from, absl::string_view output,
                                       absl::string_view field) {
    const google::protobuf::Descriptor* result = ResultType(step(from));
    if (result == nullptr) return absl::NotFoundError("");  // Its own kind is a fault already.
    absl::StatusOr<FieldPath> path = ParseFieldPath(*result, output);
    if (path.ok() && TypeOf(path->last()) == ValueType::kMessage) {
      path = absl::InvalidArgumentError("is a whole message; name a field of it");
    }
    if (!path.ok()) faults_.Add(At(i, absl::StrCat(field, ".field")), path.status().message());
    return path;
  }

  void CheckInput(int i, int k, std::vector<LateField>& singles) {
    const v1::StepInput& input = step(i).inputs(k);
    const std::string field = absl::StrCat("inputs[", k, "]");
    const KindTraits* kind = FindKind(step(i).job().kind_case());
    absl::StatusOr<FieldPath> path = ParseFieldPath(*v1::Job::descriptor(), input.field());
    if (path.ok() && kind != nullptr && path->parts[0].field->number() != kind->field) {
      path = absl::InvalidArgumentError(
          absl::StrCat("must be a field of the step's own kind, as in ", kind->name, ".FIELD"));
    }
    if (path.ok() && (path->parts.size() < 2 || path->parts.back().index >= 0)) {
      path = absl::InvalidArgumentError("must name a field, neither a whole spec nor an element");
    }
    if (!path.ok()) {
      faults_.Add(At(i, absl::StrCat(field, ".field")), path.status().message());
      return;
    }
    if (!path->IsList()) singles.push_back({*path, &input});
    CheckFrom(i, input, field, *path);
  }

  void CheckFrom(int i, const v1::StepInput& input, const std::string& field,
                 const FieldPath& path) {
    StepPlan& plan = plan_.steps[i];
    switch (input.from_case()) {
      case v1::StepInput::kOutput: {
        plan.wired = true;
        const int from = Upstream(i, input.output().step(), absl::StrCat(field, ".output.step"));
        if (from < 0) return;
        const auto output =
            OutputPath(i, from, input.output().field(), absl::StrCat(field, ".output"));
        if (!output.ok()) return;
        const bool many = output->IsList() || HasMany(i, from);
        return CheckType(i, field, TypeOf(output->last()), many, path);
      }
      case v1::StepInput::kArtifact: {
        plan.wired = true;
        const int from =
            Upstream(i, input.artifact().step(), absl::StrCat(field, ".artifact.step"));
        if (input.artifact().name().empty()) {
          faults_.Add(At(i, absl::StrCat(field, ".artifact.name")), "must be set");
        }
        if (from >= 0) CheckType(i, field, ValueType::kText, HasMany(i, from), path);
        return;
      }
      case v1::StepInput::kItem:
      case v1::StepInput::kIndex:
        plan.takes_item = true;
        if (!step(i).has_for_each()) {
          faults_.Add(At(i, field), "the step has no for_each, so there is no item");
        } else if (TypeOf(path.last()) == ValueType::kMessage) {
          faults_.Add(At(i, absl::StrCat(field, ".field")),
                      "is a whole message; name a field of it");
        }
        return;
      case v1::StepInput::FROM_NOT_SET:
        faults_.Add(At(i, field), "must have output, artifact, item or index");
    }
  }

  // Whether step i sees more than one job of step `from`.
  bool HasMany(int i, int from) const {
    return step(from).has_for_each() && plan_.steps[i].paired_with != from;
  }

  void CheckType(int i, const std::string& field, ValueType value, bool many,
                 const FieldPath& path) {
    const ValueType wanted = TypeOf(path.last());
    if (!Fits(value, wanted)) {
      faults_.Add(At(i, field), absl::StrCat("`", path.last().name(), "` holds ", NameOf(wanted),
                                             ", not ", NameOf(value)));
    } else if (many && !path.IsList()) {
      faults_.Add(At(i, field), absl::StrCat("there are many values, and `", path.last().name(),
                                             "` holds one; fan this step out with for_each.step"));
    }
  }

  // Looks at the job as it will be, with something in the place of what comes later.
  void CheckJob(int i, const std::vector<LateField>& singles) {
    v1::Job& job = *pipeline_.mutable_steps(i)->mutable_job();
    FieldFaults job_faults(faults_.Path(At(i, "job")));
    if (job.depends_on_size() > 0) {
      job_faults.Add("depends_on", "must not be set in a pipeline; use `after`");
    }
    FillSample(step(i), 0, singles, job, job_faults);
    NormalizeJob(job, job_faults);
    faults_.Take(job_faults);
    for (const LateField& single : singles) ClearSample(job, single.path);
    if (job_faults.empty() && plan_.steps[i].takes_item) CheckItems(i, singles);
  }

  // The other items: the first was looked at with the job.
  void CheckItems(int i, const std::vector<LateField>& singles) {
    const int count = step(i).for_each().values().values_size();
    for (int item = 1; item < count; ++item) {
      v1::Job job = step(i).job();
      FieldFaults item_faults(faults_.Path(At(i, absl::StrCat("for_each.values[", item, "]"))));
      FillSample(step(i), item, singles, job, item_faults);
      NormalizeJob(job, item_faults);
      if (item_faults.empty()) continue;
      faults_.Take(item_faults);
      return;
    }
  }

  v1::Pipeline& pipeline_;
  FieldFaults& faults_;
  PipelinePlan plan_;
};

}  // namespace

PipelinePlan PlanPipeline(v1::Pipeline& pipeline, FieldFaults& faults) {
  pipeline.clear_id();
  pipeline.clear_tenant();
  pipeline.clear_state();
  pipeline.clear_message();
  pipeline.clear_create_time();
  return Planner(pipeline, faults).Plan();
}

int FindStep(const v1::Pipeline& pipeline, absl::string_view name) {
  for (int i = 0; i < pipeline.steps_size(); ++i) {
    if (pipeline.steps(i).name() == name) return i;
  }
  return -1;
}

const google::protobuf::Descriptor* ResultType(const v1::PipelineStep& step) {
  const KindTraits* kind = FindKind(step.job().kind_case());
  if (kind == nullptr) return nullptr;
  const auto* field = v1::Job::descriptor()->FindFieldByName(std::string(kind->name) + "_result");
  return field == nullptr ? nullptr : field->message_type();
}

}  // namespace switchyard::scheduler
