// The one table of what this build of the runner can run. A new kind adds a line to registry.cc and
// a folder under worker/tasks. Pure functions, thread-safe.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "worker/executor/backend.h"
#include "worker/executor/executor.h"
#include "worker/executor/timed_task.h"

namespace switchyard::worker {

// A new executor for `kind` (the name of Job's oneof member). Null for a kind that has none.
std::unique_ptr<Executor> MakeExecutor(absl::string_view kind);

// The same for kinds that only wait. No kind has both.
std::unique_ptr<TimedTask> MakeTimedTask(absl::string_view kind);

// What drives the device in this build.
std::unique_ptr<Backend> MakeBackend();

// Kinds this build can run.
std::vector<std::string> RegisteredKinds();

}  // namespace switchyard::worker
