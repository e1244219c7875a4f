// The process that stays with the program: it starts it, passes signals on, watches its memory and
// processor time, and ends what it left behind.
#pragma once

#include "switchyard/worker/v1/sandbox.pb.h"

namespace switchyard::sandbox {

// What the runner writes to the control socket, a byte each. Closing it is kKillAll.
inline constexpr char kTerminateAll = 'T';  // SIGTERM to every process of the program.
inline constexpr char kKillAll = 'K';       // SIGKILL.

// Sets up what concerns this process (own file system, loopback), starts the program and waits for
// the end of it and of everything it started. REQUIRES: the namespaces of the plan's guards are
// entered; one thread.
::switchyard::worker::v1::SandboxReport RunProgram(
    const ::switchyard::worker::v1::SandboxPlan& plan, int control_fd);

}  // namespace switchyard::sandbox
