// The last steps before the program, in the process that becomes it.
#pragma once

#include <sys/types.h>

#include <functional>

#include "absl/status/status.h"
#include "switchyard/worker/v1/sandbox.pb.h"

namespace switchyard::sandbox {

// Why the program did not start. `guard` is GUARD_UNSPECIFIED when none is to blame.
struct StartFault {
  ::switchyard::worker::v1::SandboxPlan::Guard guard =
      ::switchyard::worker::v1::SandboxPlan::GUARD_UNSPECIFIED;
  absl::Status status;
};

bool Has(const ::switchyard::worker::v1::SandboxPlan& plan,
         ::switchyard::worker::v1::SandboxPlan::Guard guard);

// Starts the program as a child, in its process group, with the guards that hold for it alone.
// Returns once exec succeeded (status OK, `pid` set) or why it did not.
StartFault StartProgram(const ::switchyard::worker::v1::SandboxPlan& plan, pid_t* pid);

}  // namespace switchyard::sandbox
