// What a pipeline means: its steps' edges and wires, found and checked by name and by descriptor.
//
// Thread-safe: pure functions.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "google/protobuf/descriptor.h"
#include "scheduler/validation/field_faults.h"
#include "switchyard/v1/pipeline.pb.h"

namespace switchyard::scheduler {

inline constexpr int kMostSteps = 256;
inline constexpr uint32_t kMostPipelineJobs = 10'000;

struct StepPlan {
  std::vector<int> upstream;  // Steps it waits for, ascending.
  int paired_with = -1;       // Its jobs go one for one with this step's.
  int list_of = -1;           // It is fanned out over what this step makes.
  // Whether its jobs' inputs are known only when it begins.
  bool wired = false;
  bool takes_item = false;
};

struct PipelinePlan {
  std::vector<StepPlan> steps;
  std::vector<int> order;  // Of submission.
};

// Brings the pipeline into its stored form and adds every fault of it to `faults`, whose root names
// the pipeline. The plan of a faulty pipeline is unspecified.
PipelinePlan PlanPipeline(v1::Pipeline& pipeline, FieldFaults& faults);

// The number of the step called `name`; -1: none.
int FindStep(const v1::Pipeline& pipeline, absl::string_view name);

// The message a job of this step's kind results in; null: it has no kind, or one without result.
const google::protobuf::Descriptor* ResultType(const v1::PipelineStep& step);

}  // namespace switchyard::scheduler
