// The one table of what this build of the runner can run. A new kind adds a line to registry.cc and
// a folder under worker/tasks. Pure functions, thread-safe.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "worker/executor/backend.h"
#include "worker/executor/executor.h"
#include "worker/executor/resident_models.h"
#include "worker/executor/timed_task.h"
#include "worker/tasks/command/command_executor.h"

namespace switchyard::worker {

// Makes executors by kind (the name of Job's oneof member), null for a kind that has none. What
// attempts of one runner share, such as loaded models, lives as long as the factory and its
// executors. The factory is thread-safe. `commands`: nothing, and the kind `command` is not there.
ExecutorFactory MakeExecutorFactory(std::shared_ptr<ResidentModels> models = nullptr,
                                    std::optional<CommandSettings> commands = std::nullopt);

// The models that executors of a factory made with it keep loaded. Null in builds without LibTorch.
std::shared_ptr<ResidentModels> MakeResidentModels();

// A task for a kind that only waits, or null. No kind has both.
std::unique_ptr<TimedTask> MakeTimedTask(absl::string_view kind);

// What drives the device in this build.
std::unique_ptr<Backend> MakeBackend();

// Kinds this build can run with these executors.
std::vector<std::string> RegisteredKinds(const ExecutorFactory& make_executor);

}  // namespace switchyard::worker
