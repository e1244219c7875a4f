#include "worker/device/nvml.h"

#include <dlfcn.h>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"

namespace switchyard::worker {
namespace {

// What is used of nvml.h, declared here because the header is not in Debian's main archive. The ABI
// is stable by NVIDIA's promise: functions get a new suffix when they change.
using Device = struct NvmlDevice*;
struct Memory {
  unsigned long long total, free, used;  // NOLINT: the library's types.
};
constexpr int kSuccess = 0;
constexpr unsigned kNameBytes = 96;

class Library {
 public:
  Library() : handle_(dlopen("libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL)) {}
  ~Library() {
    if (handle_ != nullptr) dlclose(handle_);
  }
  bool open() const { return handle_ != nullptr; }
  // Calls the function; an error when the library has none of this name.
  template <typename... Arguments>
  int Call(const char* name, Arguments... arguments) const {
    const auto function = reinterpret_cast<int (*)(Arguments...)>(dlsym(handle_, name));
    return function == nullptr ? -1 : function(arguments...);
  }

 private:
  void* const handle_;
};

GpuFacts Describe(const Library& nvml, Device device) {
  GpuFacts facts;
  char text[kNameBytes] = "";
  if (nvml.Call("nvmlDeviceGetName", device, &text[0], kNameBytes) == kSuccess) facts.name = text;
  if (nvml.Call("nvmlDeviceGetUUID", device, &text[0], kNameBytes) == kSuccess) facts.uuid = text;
  int major = 0, minor = 0;
  if (nvml.Call("nvmlDeviceGetCudaComputeCapability", device, &major, &minor) == kSuccess) {
    facts.compute_capability = absl::StrCat(major, ".", minor);
  }
  Memory memory{};
  if (nvml.Call("nvmlDeviceGetMemoryInfo", device, &memory) == kSuccess) {
    facts.memory_total_bytes = static_cast<int64_t>(memory.total);
    facts.memory_used_bytes = static_cast<int64_t>(memory.used);
  }
  return facts;
}

}  // namespace

absl::StatusOr<std::vector<GpuFacts>> DiscoverGpus() {
  const Library nvml;
  if (!nvml.open())
    return absl::NotFoundError("no NVIDIA driver: libnvidia-ml.so.1 is not installed");
  if (const int error = nvml.Call("nvmlInit_v2"); error != kSuccess) {
    return absl::NotFoundError(
        absl::StrCat("the NVIDIA driver does not answer (NVML error ", error, ")"));
  }
  const auto shutdown = absl::MakeCleanup([&nvml] { nvml.Call("nvmlShutdown"); });
  unsigned count = 0;
  nvml.Call("nvmlDeviceGetCount_v2", &count);
  std::vector<GpuFacts> gpus;
  for (unsigned i = 0; i < count; ++i) {
    Device device = nullptr;
    if (nvml.Call("nvmlDeviceGetHandleByIndex_v2", i, &device) == kSuccess)
      gpus.push_back(Describe(nvml, device));
  }
  return gpus;
}

}  // namespace switchyard::worker
