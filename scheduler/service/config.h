// The scheduler's configuration: defaults filled in, every fault named at once. Thread-safe: pure
// functions.
#pragma once

#include "absl/status/status.h"
#include "scheduler/core/config.h"
#include "scheduler/service/attach_messages.h"
#include "switchyard/config/v1/scheduler.pb.h"

namespace switchyard::scheduler {

// Fills in defaults. INVALID_ARGUMENT names every fault and what would be right.
absl::Status CompleteConfig(config::v1::SchedulerConfig& config);

// How long bytes of artifacts stay that nobody refers to. REQUIRES: a complete config.
absl::Duration ArtifactKeepOf(const config::v1::SchedulerConfig& config);

// What the core is made of. REQUIRES: completed.
CoreConfig MakeCoreConfig(const config::v1::SchedulerConfig& config);

LeaseTimes MakeLeaseTimes(const config::v1::SchedulerConfig& config);

// REQUIRES: completed, with `postgres`.
absl::Duration LeaderLeaseOf(const config::v1::SchedulerConfig& config);

}  // namespace switchyard::scheduler
