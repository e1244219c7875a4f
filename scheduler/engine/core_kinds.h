// The kinds of common/kind in the core's words. Thread-safe: a pure function.
#pragma once

#include <vector>

#include "scheduler/core/config.h"

namespace switchyard::scheduler {

std::vector<KindConfig> CoreKinds();

}  // namespace switchyard::scheduler
