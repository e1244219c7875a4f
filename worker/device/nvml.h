// GPUs as the NVIDIA management library tells them. It is opened when asked for, so nothing links
// to it and a host without it just has none.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace switchyard::worker {

struct GpuFacts {
  std::string name;
  std::string uuid;                // "GPU-...": stays the same over restarts.
  std::string compute_capability;  // "9.0".
  int64_t memory_total_bytes = 0;
  int64_t memory_used_bytes = 0;
};

// In PCI order, as CUDA counts with CUDA_DEVICE_ORDER=PCI_BUS_ID. NOT_FOUND: no library, or it
// finds no driver.
absl::StatusOr<std::vector<GpuFacts>> DiscoverGpus();

}  // namespace switchyard::worker
