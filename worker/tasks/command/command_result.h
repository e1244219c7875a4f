// What the end of a program means for its attempt. Pure.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "switchyard/v1/command.pb.h"
#include "switchyard/worker/v1/sandbox.pb.h"

namespace switchyard::worker {

// OK for exit code 0. Permanent (FAILED_PRECONDITION): COMMAND_EXITED, COMMAND_SIGNALLED,
// GUARD_UNAVAILABLE, PROGRAM_NOT_STARTED, CPU_TIME_EXCEEDED. Worth another attempt: ABORTED
// (COMMAND_EXITED, a code the job lists), UNAVAILABLE (COMMAND_KILLED, by a SIGKILL that is not
// ours). RESOURCE_EXHAUSTED (OUT_OF_MEMORY). `last_error_line` goes into the message.
absl::Status StatusOfEnd(const ::switchyard::v1::CommandSpec& spec,
                         const ::switchyard::worker::v1::SandboxPlan& plan,
                         const ::switchyard::worker::v1::SandboxReport& report,
                         const std::string& last_error_line);

}  // namespace switchyard::worker
