// The guard `user`: who the program is. Not thread-safe: for a process with one thread.
#pragma once

#include <sys/types.h>

#include "absl/status/status.h"

namespace switchyard::sandbox {

// Moves this process into a user namespace of its own, in which the user keeps its number and owns
// nothing but itself. What is needed to make the other namespaces without being root.
absl::Status EnterUserNamespace();

// Becomes user and group `id`, without further groups. REQUIRES: root.
absl::Status BecomeUser(uid_t id);

// Gives up every capability for good: of this process and of whatever it starts.
absl::Status DropCapabilities();

}  // namespace switchyard::sandbox
