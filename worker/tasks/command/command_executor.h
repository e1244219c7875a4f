// The kind `command`: runs a program of the caller's own in a sandbox.
#pragma once

#include <memory>
#include <string>

#include "common/clock/clock.h"
#include "worker/executor/executor.h"
#include "worker/tasks/command/policy.h"

namespace switchyard::worker {

struct CommandSettings {
  CommandPolicy policy;  // Completed.
  std::string sandbox;   // Path of switchyard-sandbox.
};

// `clock` outlives it.
std::unique_ptr<Executor> MakeCommandExecutor(CommandSettings settings, Clock& clock);

}  // namespace switchyard::worker
