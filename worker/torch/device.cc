#include "worker/torch/device.h"

#include <malloc.h>

#include <cstdlib>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "worker/torch/catch_torch.h"
#include "worker/torch/memory/attempt_memory.h"
#include "worker/torch/memory/counting_allocator.h"
#include "worker/torch/memory/cuda_memory.h"
#include "worker/torch/torch_header.h"

namespace switchyard::worker {
namespace {

std::vector<std::string> DeviceNames() {
  std::vector<std::string> devices = {"cpu"};
  const size_t gpus = torch::cuda::is_available() ? torch::cuda::device_count() : 0;
  for (size_t i = 0; i < gpus; ++i) devices.push_back(absl::StrCat("cuda:", i));
  return devices;
}

std::string CudaVersion() {
  if (!torch::cuda::is_available()) return "";
  const int64_t version = at::detail::getCUDAHooks().versionCUDART();
  return absl::StrCat(version / 1000, ".", version % 1000 / 10);
}

absl::Status CheckDeviceIsHere(const std::string& device) {
  const std::vector<std::string> devices = DeviceNames();
  for (const std::string& known : devices) {
    if (known == device) return absl::OkStatus();
  }
  return MakeError(absl::StatusCode::kUnavailable, "UNKNOWN_DEVICE",
                   absl::StrCat("device '", device,
                                "' is not usable here; there are: ", absl::StrJoin(devices, ", ")),
                   {{"device", device}});
}

// Tensors of a training come and go by the megabyte each step; glibc would hand each back to the
// kernel and take a page fault for every 4 KiB of the next.
void KeepFreedMemory() {
  mallopt(M_MMAP_THRESHOLD, 256 << 20);
  mallopt(M_TRIM_THRESHOLD, 512 << 20);
}

class TorchBackend final : public Backend {
 public:
  BackendDescription Describe() override {
    BackendDescription description;
    description.libtorch_version =
        absl::StrCat(TORCH_VERSION_MAJOR, ".", TORCH_VERSION_MINOR, ".", TORCH_VERSION_PATCH);
    description.cuda_version = CudaVersion();
    // Names and memory of GPUs are NVML's to tell, which the daemon asks without making a context.
    for (const std::string& name : DeviceNames()) description.devices.push_back({.device = name});
    return description;
  }

  absl::Status Prepare(const DeviceHandle& device, const BackendLimits& limits) override {
    const absl::Status used = UseDevice(device);
    if (!used.ok()) return used;
    device_ = device.device;
    KeepFreedMemory();
    SetCpuMemoryLimit(limits.memory_bytes);
    return absl::OkStatus();
  }

  absl::StatusOr<KernelRun> RunKernel() override {
    return CatchTorch([&]() -> absl::StatusOr<KernelRun> {
      // An attempt at its limit is no reason to call the device dead.
      const OutsideAttempts outside;
      const absl::Time start = absl::Now();
      const torch::Tensor ones = torch::ones({16, 16}, torch::Device(device_));
      const double sum = ones.mm(ones).sum().item<double>();
      if (sum != 16.0 * 16 * 16) {
        return absl::InternalError(absl::StrCat(device_, " computes wrongly: ", sum));
      }
      return KernelRun{absl::Now() - start, CpuMemoryUsed() + CudaUsed()};
    });
  }

  std::unique_ptr<AttemptMemory> NewAttempt(int64_t limit_bytes, bool whole_process) override {
    return MakeAttemptMemory(device_, limit_bytes, whole_process);
  }

 private:
  int64_t CudaUsed() const {
    return absl::StartsWith(device_, "cuda") ? CudaUsedBytes(device_) : 0;
  }

  std::string device_ = "cpu";
};

}  // namespace

std::unique_ptr<Backend> MakeTorchBackend() { return std::make_unique<TorchBackend>(); }

absl::Status UseDevice(const DeviceHandle& device) {
  return CatchTorch([&]() -> absl::Status {
    const absl::Status here = CheckDeviceIsHere(device.device);
    if (!here.ok()) return here;
    const bool cuda = absl::StartsWith(device.device, "cuda");
    if (cuda) {
      // cuBLAS is deterministic only with a fixed workspace, and reads this when its first handle
      // is made.
      setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", 0);
    } else {
      at::set_num_threads(std::max(1, device.threads));
    }
    // On a GPU a few backward kernels (max pooling) have no deterministic form: they warn there and
    // do not fail.
    at::globalContext().setDeterministicAlgorithms(true, /*warn_only=*/cuda);
    at::globalContext().setBenchmarkCuDNN(false);
    at::globalContext().setDeterministicCuDNN(true);
    return absl::OkStatus();
  });
}

}  // namespace switchyard::worker
