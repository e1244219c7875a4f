// The port to the library that drives the device, as far as the runner's frame needs it: what is
// there, setting the process up, and whether the device still answers. LibTorch's is in
// worker/torch; BareBackend stands in where the runner was built without it.
//
// Prepare is called once, before any executor is made and before threads are started; the others
// from any thread after it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "worker/executor/attempt_memory.h"
#include "worker/executor/executor.h"

namespace switchyard::worker {

// One device the library can drive.
struct BackendDevice {
  std::string device;              // `cpu`, `cuda:0`.
  std::string name;                // Model name; may be empty for cpu.
  int64_t memory_total_bytes = 0;  // 0: not known here.
  int64_t memory_free_bytes = 0;   // 0: not known here.
  std::string compute_capability;  // "9.0"; empty for cpu.
};

struct BackendDescription {
  std::string libtorch_version;  // Empty: built without LibTorch.
  std::string cuda_version;      // Empty: no CUDA.
  std::vector<BackendDevice> devices;
};

// What a process may use.
struct BackendLimits {
  int64_t memory_bytes =
      0;  // Most the allocator gives out on cpu; 0: no limit. Excess is the out-of-memory outcome.
};

struct KernelRun {
  absl::Duration took;
  int64_t memory_used_bytes = 0;  // What the allocator holds.
};

class Backend {
 public:
  virtual ~Backend() = default;
  // Cheap enough for the command line: no context is made on a GPU that is only looked at.
  virtual BackendDescription Describe() = 0;
  // Sets threads, device and memory limit for the process. UNAVAILABLE when the device cannot be
  // used, saying why.
  virtual absl::Status Prepare(const DeviceHandle& device, const BackendLimits& limits) = 0;
  // Runs something small on the device and waits for it.
  virtual absl::StatusOr<KernelRun> RunKernel() = 0;
  // Counts the device memory of one attempt and holds it to `limit_bytes` (0: no limit); with
  // `whole_process` the process serves that attempt alone. Never null.
  virtual std::unique_ptr<AttemptMemory> NewAttempt(int64_t limit_bytes, bool whole_process) = 0;
};

// Drives nothing; describes the processor only.
std::unique_ptr<Backend> MakeBareBackend();

}  // namespace switchyard::worker
