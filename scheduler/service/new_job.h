// From a checked job to what the engine takes. Thread-safe: pure functions.
#pragma once

#include "scheduler/core/event.h"
#include "switchyard/v1/job.pb.h"

namespace switchyard::scheduler {

// REQUIRES: `job` is normalised and its references are resolved.
NewJob MakeNewJob(const v1::Job& job);

}  // namespace switchyard::scheduler
