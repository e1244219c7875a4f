#include "worker/torch/memory/attempt_memory.h"

#include <vector>

#include "absl/strings/match.h"
#include "worker/torch/memory/counting_allocator.h"
#include "worker/torch/memory/cuda_memory.h"

namespace switchyard::worker {
namespace {

class CpuAttemptMemory final : public AttemptMemory {
 public:
  CpuAttemptMemory(int64_t limit_bytes, bool whole_process)
      : meter_(new CpuMeter(limit_bytes)), whole_process_(whole_process) {
    if (whole_process_) SetProcessMeter(meter_);
  }
  ~CpuAttemptMemory() override {
    if (whole_process_) SetProcessMeter(nullptr);
    for (const int64_t bytes : kept_) meter_->Give(bytes);
    meter_->Release();
  }
  void Enter() override { SetThreadMeter(meter_); }
  void Leave() override { SetThreadMeter(nullptr); }
  // Used by one thread.
  bool Keep(int64_t bytes) override {
    if (!meter_->Take(bytes)) return false;
    kept_.push_back(bytes);
    return true;
  }
  int64_t peak_bytes() const override { return meter_->peak_bytes(); }

 private:
  CpuMeter* const meter_;
  std::vector<int64_t> kept_;
  const bool whole_process_;
};

class CudaAttemptMemory final : public AttemptMemory {
 public:
  CudaAttemptMemory(const std::string& device, int64_t limit_bytes) : device_(device) {
    BeginCudaAttempt(device_, limit_bytes);
  }
  int64_t peak_bytes() const override { return CudaPeakBytes(device_); }

 private:
  const std::string device_;
};

}  // namespace

std::unique_ptr<AttemptMemory> MakeAttemptMemory(const std::string& device, int64_t limit_bytes,
                                                 bool whole_process) {
  if (!absl::StartsWith(device, "cuda")) {
    return std::make_unique<CpuAttemptMemory>(limit_bytes, whole_process);
  }
  if (whole_process) return std::make_unique<CudaAttemptMemory>(device, limit_bytes);
  return std::make_unique<AttemptMemory>();
}

}  // namespace switchyard::worker
