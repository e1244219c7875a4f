// From steps to jobs: what of a pipeline can be submitted now.
//
// A step becomes jobs when all steps it waits for have jobs, so that its jobs can name theirs, and
// when the list it is fanned out over is known. Most steps do when the pipeline is made; what is
// fanned out over a list an earlier step makes, and what follows it, do when that step has
// succeeded. The same pipeline with the same lists always gives the same jobs.
//
// Thread-safe: pure functions.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "scheduler/core/event.h"
#include "scheduler/pipeline/plan.h"
#include "switchyard/storage/v1/pipeline_record.pb.h"

namespace switchyard::scheduler {

// A job to submit.
struct StepJob {
  v1::Job job;  // With pipeline, step and place in the step.
  std::vector<NewJob::Dependency> depends_on;
  std::string wiring;  // As in JobLinks; empty: it runs with what it has.
};

struct Expansion {
  std::vector<StepJob> jobs;
  // Of the steps among them; `first_job` counts from 0.
  std::vector<storage::v1::StepJobs> steps;
  // Steps that wait for a list still, or for a step that does.
  bool complete = true;
};

// Items of steps that are fanned out over a list an earlier step makes, by the step's name.
using KnownItems = std::map<std::string, std::vector<std::string>>;

// INVALID_ARGUMENT: the lists make more jobs than a pipeline may have, or an item is not what the
// field takes it for.
absl::StatusOr<Expansion> ExpandPipeline(const storage::v1::PipelineRecord& record,
                                         const PipelinePlan& plan, const KnownItems& known);

// The items of `step` in a succeeded job: elements of its list, lines of its text, or hashes of
// its artifacts. REQUIRES: the step is fanned out over that job's step.
std::vector<std::string> ItemsFrom(const v1::PipelineStep& step, const v1::Job& job);

}  // namespace switchyard::scheduler
