#include "scheduler/pipeline/step_order.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "scheduler/policy/model_order.h"
#include "scheduler/validation/excerpt.h"

namespace switchyard::scheduler {
namespace {

// The model a step's jobs need, or where it comes from.
std::string ModelOf(const v1::PipelineStep& step) {
  if (!step.job().has_predict()) return "";
  for (const v1::StepInput& input : step.inputs()) {
    if (input.field() == "predict.model" && input.has_output()) {
      return absl::StrCat("of step ", input.output().step());
    }
  }
  const v1::PredictSpec& spec = step.job().predict();
  return absl::StrCat(spec.model(), "@", spec.version());
}

}  // namespace

void CheckCycles(const v1::Pipeline& pipeline, const PipelinePlan& plan, FieldFaults& faults) {
  // Steps are taken as soon as all before them were; what is left stands in a cycle or behind
  // one.
  std::vector<bool> taken(pipeline.steps_size());
  for (bool progress = true; progress;) {
    progress = false;
    for (int i = 0; i < pipeline.steps_size(); ++i) {
      const auto& upstream = plan.steps[i].upstream;
      const auto done = [&](int each) { return taken[each]; };
      if (taken[i] || !std::all_of(upstream.begin(), upstream.end(), done)) continue;
      taken[i] = progress = true;
    }
  }
  std::vector<absl::string_view> left;
  for (int i = 0; i < pipeline.steps_size(); ++i) {
    if (!taken[i]) left.push_back(pipeline.steps(i).name());
  }
  if (left.empty()) return;
  faults.Add("steps",
             absl::StrCat("wait for each other in a circle: ", Excerpt(absl::StrJoin(left, ", "))));
}

void CheckCount(const v1::Pipeline& pipeline, const PipelinePlan& plan, FieldFaults& faults) {
  std::vector<uint32_t> counts(pipeline.steps_size(), 1);
  uint64_t all = 0;
  // A step's partner may be written after it: as many looks as steps find every count.
  for (int look = 0; look < pipeline.steps_size(); ++look) {
    for (int i = 0; i < pipeline.steps_size(); ++i) {
      const StepPlan& step = plan.steps[i];
      if (pipeline.steps(i).for_each().has_values())
        counts[i] = pipeline.steps(i).for_each().values().values_size();
      if (step.paired_with >= 0) counts[i] = counts[step.paired_with];
    }
  }
  for (const uint32_t count : counts) all += count;
  if (all <= kMostPipelineJobs) return;
  faults.Add("steps",
             absl::StrCat("make ", all, " jobs; a pipeline has at most ", kMostPipelineJobs));
}

std::vector<int> OrderSteps(const v1::Pipeline& pipeline, const PipelinePlan& plan) {
  std::vector<ModelStage> stages;
  for (int i = 0; i < pipeline.steps_size(); ++i) {
    stages.push_back({ModelOf(pipeline.steps(i)), plan.steps[i].upstream});
  }
  return OrderForFewestSwaps(stages);
}

}  // namespace switchyard::scheduler
