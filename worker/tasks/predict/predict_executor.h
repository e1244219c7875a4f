// The `predict` kind: classifies one file, some bytes or a folder with a registered model.
#pragma once

#include <memory>

#include "common/clock/clock.h"
#include "worker/executor/executor.h"
#include "worker/serving/model_cache.h"

namespace switchyard::worker {

// `clock` outlives it; it sizes batches by the time they take, so that a cancel is seen soon.
// `models` is shared by all predict attempts of the runner.
std::unique_ptr<Executor> MakePredictExecutor(std::shared_ptr<ModelCache> models, Clock& clock);

}  // namespace switchyard::worker
