// The guard `network`: an own network namespace.
#pragma once

#include "absl/status/status.h"

namespace switchyard::sandbox {

// Brings the loopback interface of this process's network namespace up, for programs that speak to
// themselves. REQUIRES: an own namespace.
absl::Status RaiseLoopback();

}  // namespace switchyard::sandbox
