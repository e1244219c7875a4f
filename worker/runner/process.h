// What makes a runner die with its daemon, and stay out of the way of more urgent work.
#pragma once

#include <sys/types.h>

#include "absl/status/status.h"

namespace switchyard::worker {

// Descriptors a runner is started with.
inline constexpr int kSocketFd = 3;  // To the daemon.
inline constexpr int kLockFd = 4;    // The daemon's lock: held until this process is gone.

// Asks the kernel to kill this process when the daemon's thread that started it ends, and to give
// it the orphans among its descendants. FAILED_PRECONDITION when the daemon (`parent`) is gone
// already. To be called first.
absl::Status DieWithParent(pid_t parent);

// Least CPU priority (nice 19), for this thread and those it starts later. Why not SCHED_IDLE: on a
// busy machine that is no share at all, and a training must end some day.
void BecomeBackground();

// Ends this process and its process group at once, without running destructors: other threads may
// be anywhere.
[[noreturn]] void EndProcess(int exit_code);

}  // namespace switchyard::worker
