// What a caller's key and the configuration allow the jobs it submits. Thread-safe: a pure
// function.
#pragma once

#include "scheduler/service/backend.h"
#include "scheduler/service/principal.h"
#include "scheduler/validation/job_spec.h"

namespace switchyard::scheduler {

inline SubmitRules RulesFor(const Backend& backend, const Principal& principal) {
  return {.allow_noop = backend.allow_noop,
          .highest_priority = principal.highest_priority,
          .commands = principal.scopes.Has(Scope::kCommands),
          .commands_network = principal.scopes.Has(Scope::kCommandsNetwork)};
}

}  // namespace switchyard::scheduler
