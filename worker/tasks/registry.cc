#include "worker/tasks/registry.h"

#include "common/kind/kind.h"
#include "worker/tasks/noop/noop.h"

namespace switchyard::worker {

// Kinds on LibTorch are added here, under SWITCHYARD_TORCH.
std::unique_ptr<Executor> MakeExecutor(absl::string_view) { return nullptr; }

std::unique_ptr<TimedTask> MakeTimedTask(absl::string_view kind) {
  if (kind == "noop") return MakeNoopTask();
  return nullptr;
}

std::unique_ptr<Backend> MakeBackend() { return MakeBareBackend(); }

std::vector<std::string> RegisteredKinds() {
  std::vector<std::string> kinds;
  for (const KindTraits& kind : AllKinds()) {
    if (MakeTimedTask(kind.name) != nullptr || MakeExecutor(kind.name) != nullptr) {
      kinds.emplace_back(kind.name);
    }
  }
  return kinds;
}

}  // namespace switchyard::worker
