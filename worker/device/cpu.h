// What a worker for the processors of a host may use.
#pragma once

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace switchyard::worker {

struct CpuFacts {
  std::string name;          // Model name of the processor.
  uint32_t cores = 1;        // By affinity and cgroup quota, at least 1.
  int64_t memory_bytes = 0;  // Least of free memory now and what the cgroup still allows.
};

// Asks the system. Facts it does not tell have their least value.
CpuFacts DiscoverCpu();

// The parsers behind it, on the files' text.
std::string ModelName(absl::string_view proc_cpuinfo);
// MemAvailable, bytes; 0 when it is not there.
int64_t AvailableMemory(absl::string_view proc_meminfo);
// MemTotal, bytes; 0 when it is not there.
int64_t TotalMemory(absl::string_view proc_meminfo);

}  // namespace switchyard::worker
