// A step's job as it will be, with something of the right form in the place of what is only known
// when the step begins: so that all the rest of it can be checked before.
//
// Thread-safe: pure functions.
#pragma once

#include <vector>

#include "scheduler/pipeline/field_path.h"
#include "scheduler/validation/field_faults.h"
#include "switchyard/v1/pipeline.pb.h"

namespace switchyard::scheduler {

// A field that holds one value and gets it later. `input` is borrowed from the step.
struct LateField {
  FieldPath path;
  const v1::StepInput* input;
};

// Puts values into the fields: the item of this number where it is known, else a stand-in. Adds a
// fault for an item that does not fit.
void FillSample(const v1::PipelineStep& step, int item, const std::vector<LateField>& fields,
                v1::Job& job, FieldFaults& faults);

// Takes the value of such a field out again.
void ClearSample(v1::Job& job, const FieldPath& path);

}  // namespace switchyard::scheduler
