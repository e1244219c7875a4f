// The form of a change of limits. Thread-safe: pure functions.
#pragma once

#include "absl/status/statusor.h"
#include "scheduler/core/event.h"
#include "switchyard/v1/fleet_service.pb.h"

namespace switchyard::scheduler {

// INVALID_ARGUMENT names every bad entry.
absl::StatusOr<UpdateLimits> ReadUpdateLimits(const v1::UpdateLimitsRequest& request);

}  // namespace switchyard::scheduler
