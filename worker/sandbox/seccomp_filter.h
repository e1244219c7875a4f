// The guard `seccomp`: system calls that no program of a job needs and that reach into the kernel,
// other processes or the machine. A list of what is denied, not of what is allowed: programs are
// anything a team writes, and a list of allowed calls would break with every new libc.
#pragma once

#include "absl/status/status.h"

namespace switchyard::sandbox {

// Restricts this process and all it starts, for good: denied calls give EPERM (clone3 ENOSYS, for
// libc then uses clone, whose flags can be judged). Calls of another architecture's table end the
// process. REQUIRES: no new privileges.
absl::Status RestrictSystemCalls();

}  // namespace switchyard::sandbox
