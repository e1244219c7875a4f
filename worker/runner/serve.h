// The runner's life between hello and the closed socket.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "worker/executor/backend.h"
#include "worker/executor/executor.h"

namespace switchyard::worker {

struct ServeOptions {
  DeviceHandle device;
  BackendLimits limits;
  std::string artifact_dir;
  std::string artifact_s3;  // An S3Store in text format, instead of the folder; empty: none.
  std::string work_dir;
  std::vector<std::string> data_roots;
  std::string command_policy;  // File of a CommandPolicy in text format; empty: no commands.
  bool own = false;            // Serves one attempt in a process of its own.
  bool background = false;     // Works at least CPU priority; starting up it does not.
};

// Prepares the device, says hello on kSocketFd, and runs attempts until told to drain. Ends the
// process by itself, with everything it started, when the socket closes or the leases expire.
// Returns only errors of the start, and OK after a drain.
absl::Status Serve(const ServeOptions& options);

}  // namespace switchyard::worker
