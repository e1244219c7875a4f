#include "worker/device/device.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "worker/device/cpu.h"
#include "worker/device/nvml.h"

namespace switchyard::worker {
namespace {

using ::switchyard::config::v1::WorkerConfig;

// Libraries below LibTorch each have a variable of their own. Threads that wait sleep: a spinning
// one takes the processor from whoever has work.
std::vector<std::string> ThreadEnvironment(int threads) {
  std::vector<std::string> environment = {"OMP_WAIT_POLICY=PASSIVE"};
  for (const char* name : {"OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"}) {
    environment.push_back(absl::StrCat(name, "=", threads));
  }
  return environment;
}

DriveDevice DriveCpu(const WorkerConfig& config) {
  const CpuFacts facts = DiscoverCpu();
  DriveDevice drive;
  drive.device.set_device("cpu");
  drive.device.set_name(facts.name);
  drive.device.set_cores(facts.cores);
  drive.host_memory_bytes = facts.memory_bytes;
  int64_t memory = facts.memory_bytes;
  if (config.memory_bytes() != 0)
    memory = std::min(memory, static_cast<int64_t>(config.memory_bytes()));
  drive.device.set_memory_total_bytes(memory);
  drive.runner_memory_bytes = memory;
  const int threads = static_cast<int>(config.threads() != 0 ? config.threads() : facts.cores);
  drive.handle = {.device = "cpu", .name = facts.name, .threads = threads};
  drive.environment = ThreadEnvironment(threads);
  return drive;
}

absl::StatusOr<DriveDevice> DriveGpu(const std::string& name, size_t index) {
  const absl::StatusOr<std::vector<GpuFacts>> gpus = DiscoverGpus();
  if (!gpus.ok()) return gpus.status();
  if (index >= gpus->size()) {
    return absl::NotFoundError(absl::StrCat(
        "device ", name, " does not exist; this host has ", gpus->size(),
        " GPUs: ", absl::StrJoin(*gpus, ", ", [](std::string* out, const GpuFacts& gpu) {
          absl::StrAppend(out, gpu.name);
        })));
  }
  const GpuFacts& gpu = (*gpus)[index];
  DriveDevice drive;
  drive.device.set_device(name);
  drive.device.set_name(gpu.name);
  drive.device.set_uuid(gpu.uuid);
  drive.device.set_compute_capability(gpu.compute_capability);
  drive.device.set_memory_total_bytes(gpu.memory_total_bytes);
  drive.device.set_memory_used_bytes(gpu.memory_used_bytes);
  const CpuFacts host = DiscoverCpu();
  drive.host_memory_bytes = host.memory_bytes;
  const int threads = static_cast<int>(host.cores);
  drive.handle = {.device = name, .name = gpu.name, .threads = threads, .uuid = gpu.uuid};
  drive.environment = ThreadEnvironment(threads);
  // CUDA's own order is fastest first; NVML's, and so our numbers, are by bus.
  drive.environment.push_back("CUDA_DEVICE_ORDER=PCI_BUS_ID");
  return drive;
}

}  // namespace

absl::StatusOr<DriveDevice> DiscoverDevice(const WorkerConfig& config) {
  const std::string name = config.device().empty() ? "cpu" : config.device();
  if (name == "cpu") return DriveCpu(config);
  absl::string_view number = name;
  size_t index = 0;
  if (!absl::ConsumePrefix(&number, "cuda:") || !absl::SimpleAtoi(number, &index)) {
    return absl::InvalidArgumentError(
        absl::StrCat("device: \"", name, "\" is neither cpu nor cuda:N"));
  }
  return DriveGpu(name, index);
}

}  // namespace switchyard::worker
