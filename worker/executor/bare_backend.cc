#include "worker/executor/backend.h"

namespace switchyard::worker {
namespace {

class BareBackend final : public Backend {
 public:
  BackendDescription Describe() override {
    BackendDescription description;
    description.devices.push_back({.device = "cpu"});
    return description;
  }

  absl::Status Prepare(const DeviceHandle& device, const BackendLimits&) override {
    if (device.device == "cpu") return absl::OkStatus();
    return absl::UnavailableError(
        "this runner was built without LibTorch and drives only cpu; build with "
        "-DSWITCHYARD_TORCH=ON for " +
        device.device);
  }

  absl::StatusOr<KernelRun> RunKernel() override { return KernelRun{}; }

  std::unique_ptr<AttemptMemory> NewAttempt(int64_t, bool) override {
    return std::make_unique<AttemptMemory>();
  }
};

}  // namespace

std::unique_ptr<Backend> MakeBareBackend() { return std::make_unique<BareBackend>(); }

}  // namespace switchyard::worker
