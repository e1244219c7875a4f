// The daemon's configuration with defaults filled in.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "switchyard/config/v1/worker.pb.h"

namespace switchyard::worker {

// Reads FILE, checks it and fills in id, device, runner and drain_seconds. INVALID_ARGUMENT names
// every fault at once.
absl::StatusOr<::switchyard::config::v1::WorkerConfig> LoadDaemonConfig(const std::string& file);

// The checks and defaults alone. `host` and `own_path` (of this binary) stand for what the system
// says.
absl::Status CompleteConfig(const std::string& host, const std::string& own_path,
                            ::switchyard::config::v1::WorkerConfig* config);

std::string HostName();

}  // namespace switchyard::worker
