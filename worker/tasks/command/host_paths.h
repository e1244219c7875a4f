// What of the host every program gets to see: system files and device files.
#pragma once

#include <string>
#include <vector>

#include "worker/executor/executor.h"

namespace switchyard::worker {

// Programs, libraries, time zones, certificates, names of users; with `network` how names are
// resolved; with a GPU the parts of /sys that CUDA reads. Some may be missing on a host. No host
// names, keys or configuration of services.
std::vector<std::string> SystemPaths(bool network, bool gpu);

// /dev/null and its like; with a GPU the files of that GPU and of the driver, those that exist.
std::vector<std::string> DeviceFiles(const DeviceHandle& device);

}  // namespace switchyard::worker
