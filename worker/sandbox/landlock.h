// The guard `landlock`: the kernel refuses every file that no rule names, whatever the file's mode
// says. Landlock(7); the constants are here because older headers lack the newer ones.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"

namespace switchyard::sandbox {

struct LandlockRules {
  std::vector<std::string> writable;  // Folders: everything but starting programs in them.
  std::vector<std::string> devices;   // Files: read, write, ioctl.
  std::vector<std::string> readable;  // Read and start; missing ones are passed over.
  std::vector<std::string> required;  // Read and start; a missing one is an error.
};

// Version of Landlock's interface in this kernel; 0: none, or switched off.
int LandlockVersion();

// Restricts this process and all it starts, for good. REQUIRES: no new privileges.
// FAILED_PRECONDITION says what the kernel lacks.
absl::Status RestrictFiles(const LandlockRules& rules);

}  // namespace switchyard::sandbox
