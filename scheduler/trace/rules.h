// Limits and weights as they are written on a command line. Pure functions.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "scheduler/core/types.h"

namespace switchyard::scheduler {

// Each `[WORKER/][DEVICE/]CLASS=N`: `training=2`, `cuda:0/inference=4`, `worker-3/cuda/training=0`.
// INVALID_ARGUMENT naming the one that is wrong.
absl::StatusOr<std::vector<LimitRule>> ParseLimits(const std::vector<std::string>& texts);

// Each `TENANT=N`, N from 1. INVALID_ARGUMENT naming the one that is wrong.
absl::StatusOr<std::map<std::string, uint32_t>> ParseWeights(const std::vector<std::string>& texts);

}  // namespace switchyard::scheduler
