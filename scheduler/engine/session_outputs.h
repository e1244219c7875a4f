// A drain's effects on workers, sorted by session. Thread-safe: a pure function.
#pragma once

#include <vector>

#include "scheduler/core/effects.h"
#include "scheduler/engine/engine.h"

namespace switchyard::scheduler {

// One output for each session that is told anything, in order of first mention. Moves from
// `effects`; `assignments` stand for its own, which lack spec and models.
std::vector<SessionOutput> GroupBySession(Effects& effects, std::vector<Assignment> assignments);

}  // namespace switchyard::scheduler
