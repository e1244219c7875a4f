#include "worker/tasks/command/environment.h"

#include <map>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace switchyard::worker {
namespace {

using ::switchyard::worker::v1::Assignment;
using Variables = std::map<std::string, std::string>;

void AddDefaults(const DeviceHandle& device, Variables* variables) {
  Variables& set = *variables;
  set["PATH"] = "/usr/local/bin:/usr/bin:/bin";
  set["LANG"] = "C.UTF-8";
  // Python holds back what it prints into a pipe; a log is to be live.
  set["PYTHONUNBUFFERED"] = std::string("1");
  if (absl::StartsWith(device.device, "cuda")) return;
  for (const char* name : {"OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"})
    set[name] = absl::StrCat(device.threads);
}

// The names torchrun gives its processes (PyTorch, "Torch Distributed Elastic").
void AddGang(const Assignment& assignment, Variables* variables) {
  Variables& set = *variables;
  const auto& gang = assignment.gang();
  set["RANK"] = absl::StrCat(gang.rank());
  set["WORLD_SIZE"] = absl::StrCat(gang.size());
  set["LOCAL_RANK"] = std::string("0");
  set["LOCAL_WORLD_SIZE"] = absl::StrCat(std::max(1, assignment.devices_size()));
  set["SWITCHYARD_MEMBER"] = absl::StrCat(gang.member());
  set["SWITCHYARD_MEMBERS"] = absl::StrCat(gang.members());
  const size_t colon = gang.rendezvous().rfind(':');
  if (colon == std::string::npos) return;
  set["MASTER_ADDR"] = gang.rendezvous().substr(0, colon);
  set["MASTER_PORT"] = gang.rendezvous().substr(colon + 1);
}

void AddOwn(const api::Job& job, const Assignment& assignment, const DeviceHandle& device,
            const ProgramFolders& folders, Variables* variables) {
  Variables& set = *variables;
  set["HOME"] = folders.work;
  set["TMPDIR"] = folders.temporary;
  set["CUDA_VISIBLE_DEVICES"] = VisibleDevices(device);
  set["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID";
  set["SWITCHYARD_JOB"] = job.id();
  set["SWITCHYARD_ATTEMPT"] = absl::StrCat(assignment.ref().attempt());
  set["SWITCHYARD_DEVICE"] = device.device;
  set["SWITCHYARD_WORK"] = folders.work;
  set["SWITCHYARD_CHECKPOINT"] = folders.work + "/checkpoint";
  set["SWITCHYARD_GRACE_SECONDS"] = absl::StrCat(job.command().stop_grace().seconds());
  set["SWITCHYARD_ARRAY_INDEX"] = absl::StrCat(job.array_index());
  if (assignment.has_gang()) AddGang(assignment, variables);
}

}  // namespace

std::string VisibleDevices(const DeviceHandle& device) {
  if (!absl::StartsWith(device.device, "cuda")) return "";
  // A worker drives one GPU: its UUID stays right whatever the numbers mean to CUDA.
  return device.uuid.empty() ? device.device.substr(device.device.find(':') + 1) : device.uuid;
}

std::vector<std::string> MakeEnvironment(const CommandPolicy::Program& program, const api::Job& job,
                                         const Assignment& assignment, const DeviceHandle& device,
                                         const ProgramFolders& folders) {
  Variables variables;
  AddDefaults(device, &variables);
  for (const auto& [name, value] : program.environment()) variables[name] = value;
  for (const auto& [name, value] : job.command().environment()) variables[name] = value;
  AddOwn(job, assignment, device, folders, &variables);
  std::vector<std::string> environment;
  for (const auto& [name, value] : variables) environment.push_back(absl::StrCat(name, "=", value));
  return environment;
}

}  // namespace switchyard::worker
