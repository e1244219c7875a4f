// The device a worker was told to drive, as it tells the scheduler.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "switchyard/config/v1/worker.pb.h"
#include "switchyard/v1/fleet_service.pb.h"
#include "worker/executor/executor.h"

namespace switchyard::worker {

struct DriveDevice {
  ::switchyard::v1::Device device;       // `worker` is not set.
  DeviceHandle handle;                   // For the runners.
  int64_t runner_memory_bytes = 0;       // Allocator limit of the runners on cpu; 0: none.
  int64_t host_memory_bytes = 0;         // What all work on this host's memory may use.
  std::vector<std::string> environment;  // For the runners.
};

// INVALID_ARGUMENT when `device` is neither `cpu` nor `cuda:N`; NOT_FOUND when there is no such
// GPU, naming those there are.
absl::StatusOr<DriveDevice> DiscoverDevice(const ::switchyard::config::v1::WorkerConfig& config);

}  // namespace switchyard::worker
