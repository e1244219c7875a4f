// The `noop` kind: returns its payload after its hold. For benchmarks and tests; its test switches
// fail the attempt or end the runner by a signal.
#pragma once

#include <memory>

#include "worker/executor/timed_task.h"

namespace switchyard::worker {

std::unique_ptr<TimedTask> MakeNoopTask();

}  // namespace switchyard::worker
