// The whole environment of a program: nothing is inherited.
#pragma once

#include <string>
#include <vector>

#include "switchyard/v1/job.pb.h"
#include "switchyard/worker/v1/worker_service.pb.h"
#include "worker/executor/executor.h"
#include "worker/tasks/command/policy.h"

namespace switchyard::worker {

// Where the program finds its folders, as it sees them.
struct ProgramFolders {
  std::string work;
  std::string temporary;
};

// For CUDA_VISIBLE_DEVICES: the UUID of the worker's GPU; empty without one, which hides every GPU
// from CUDA.
std::string VisibleDevices(const DeviceHandle& device);

// `NAME=VALUE`, sorted. The worker's own come last and win; then the job's, the program's, and the
// defaults (PATH, LANG, ...). Pure.
std::vector<std::string> MakeEnvironment(const CommandPolicy::Program& program, const api::Job& job,
                                         const ::switchyard::worker::v1::Assignment& assignment,
                                         const DeviceHandle& device, const ProgramFolders& folders);

}  // namespace switchyard::worker
