#include "worker/tasks/registry.h"

#include <utility>

#include "common/clock/clock.h"
#include "common/kind/kind.h"
#include "worker/tasks/noop/noop.h"
#ifdef SWITCHYARD_TORCH
#include "worker/tasks/predict/predict_executor.h"
#include "worker/tasks/train/train_executor.h"
#include "worker/torch/device.h"
#include "worker/torch/memory/cuda_memory.h"
#endif

namespace switchyard::worker {

#ifdef SWITCHYARD_TORCH

namespace {

// Weights of the models a runner keeps loaded, until the scheduler says how much.
constexpr int64_t kModelBytes = int64_t{2} << 30;

ExecutorFactory MakeTorchExecutors(std::shared_ptr<ResidentModels> resident) {
  if (resident == nullptr) resident = MakeResidentModels();
  const auto models = std::static_pointer_cast<ModelCache>(std::move(resident));
  return [models](absl::string_view kind) -> std::unique_ptr<Executor> {
    if (kind == "train") return MakeTrainExecutor(SystemClock());
    if (kind == "predict") return MakePredictExecutor(models, SystemClock());
    return nullptr;
  };
}

}  // namespace

std::shared_ptr<ResidentModels> MakeResidentModels() {
  return std::make_shared<ModelCache>(kModelBytes, EmptyCudaCache);
}

std::unique_ptr<Backend> MakeBackend() { return MakeTorchBackend(); }

#else

namespace {

ExecutorFactory MakeTorchExecutors(std::shared_ptr<ResidentModels>) {
  return [](absl::string_view) { return std::unique_ptr<Executor>(); };
}

}  // namespace

std::shared_ptr<ResidentModels> MakeResidentModels() { return nullptr; }

std::unique_ptr<Backend> MakeBackend() { return MakeBareBackend(); }

#endif

ExecutorFactory MakeExecutorFactory(std::shared_ptr<ResidentModels> models,
                                    std::optional<CommandSettings> commands) {
  return [torch = MakeTorchExecutors(std::move(models)),
          commands = std::move(commands)](absl::string_view kind) -> std::unique_ptr<Executor> {
    if (kind != "command") return torch(kind);
    return commands.has_value() ? MakeCommandExecutor(*commands, SystemClock()) : nullptr;
  };
}

std::unique_ptr<TimedTask> MakeTimedTask(absl::string_view kind) {
  if (kind == "noop") return MakeNoopTask();
  return nullptr;
}

std::vector<std::string> RegisteredKinds(const ExecutorFactory& make_executor) {
  std::vector<std::string> kinds;
  for (const KindTraits& kind : AllKinds()) {
    if (MakeTimedTask(kind.name) != nullptr || make_executor(kind.name) != nullptr) {
      kinds.emplace_back(kind.name);
    }
  }
  return kinds;
}

}  // namespace switchyard::worker
