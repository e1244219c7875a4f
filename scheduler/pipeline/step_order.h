// Whether the steps of a pipeline can all run, and in which order they are submitted.
//
// Thread-safe: pure functions. REQUIRES of all: the plan's edges are those of the pipeline.
#pragma once

#include <vector>

#include "scheduler/pipeline/plan.h"

namespace switchyard::scheduler {

// Adds a fault when steps wait for each other in a circle.
void CheckCycles(const v1::Pipeline& pipeline, const PipelinePlan& plan, FieldFaults& faults);

// Adds a fault when the steps make more jobs than a pipeline may have.
void CheckCount(const v1::Pipeline& pipeline, const PipelinePlan& plan, FieldFaults& faults);

// Every step after those it waits for, so that models are loaded least. REQUIRES: no cycles.
std::vector<int> OrderSteps(const v1::Pipeline& pipeline, const PipelinePlan& plan);

}  // namespace switchyard::scheduler
