// What the worker's configuration lets a job of kind command do.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/status/error.h"
#include "switchyard/config/v1/command_policy.pb.h"
#include "switchyard/v1/command.pb.h"
#include "switchyard/worker/v1/sandbox.pb.h"

namespace switchyard::worker {

using ::switchyard::config::v1::CommandPolicy;

// Fills in the defaults and appends what is wrong with it to `faults`. `device_memory_bytes`: the
// worker's memory; 0 on a GPU.
void CompleteCommandPolicy(uint64_t device_memory_bytes, CommandPolicy* policy,
                           std::vector<FieldViolation>* faults);

// The program a job names. FAILED_PRECONDITION (PROGRAM_NOT_LISTED) lists those there are.
absl::StatusOr<const CommandPolicy::Program*> FindProgram(const CommandPolicy& policy,
                                                          absl::string_view name);

// Whether the job asks for nothing that the worker does not give: PERMISSION_DENIED names the
// variable (VARIABLE_NOT_LISTED) or says that there is no network (NETWORK_NOT_ALLOWED);
// FAILED_PRECONDITION (MEMORY_NOT_ALLOWED) names both figures.
absl::Status CheckAgainstPolicy(const CommandPolicy& policy, const CommandPolicy::Program& program,
                                const ::switchyard::v1::CommandSpec& spec);

// Guards in force for a job, in the order of SandboxPlan.Guard.
std::vector<::switchyard::worker::v1::SandboxPlan::Guard> GuardsFor(
    const CommandPolicy& policy, const ::switchyard::v1::CommandSpec& spec);

// Name in the configuration: "landlock".
std::string GuardName(::switchyard::worker::v1::SandboxPlan::Guard guard);

}  // namespace switchyard::worker
