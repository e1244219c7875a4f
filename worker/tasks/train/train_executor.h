// The `train` kind: Prepare reads data and weights, Run trains, and the result is a model version
// with its figures.
#pragma once

#include <memory>

#include "common/clock/clock.h"
#include "worker/executor/executor.h"

namespace switchyard::worker {

// `clock` outlives it; it paces checkpoints and measures speed.
std::unique_ptr<Executor> MakeTrainExecutor(Clock& clock);

}  // namespace switchyard::worker
