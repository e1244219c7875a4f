// `switchyard-runner describe`: what this build of the runner can drive, for the command line.
#pragma once

#include <string>

#include "worker/executor/backend.h"

namespace switchyard::worker {

// A JSON object: libtorch_version, cuda_version, kinds (a list), devices (a list of device, name,
// memory_total_bytes, memory_free_bytes, compute_capability). One line.
std::string DescribeJson(const BackendDescription& description,
                         const std::vector<std::string>& kinds);

}  // namespace switchyard::worker
