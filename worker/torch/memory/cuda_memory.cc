#include "worker/torch/memory/cuda_memory.h"

#ifdef SWITCHYARD_TORCH_CUDA

#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAGuard.h>
#include <cuda_runtime_api.h>

#include <algorithm>

#include "worker/torch/torch_header.h"

namespace switchyard::worker {
namespace {

namespace caching = c10::cuda::CUDACachingAllocator;

// Of small and large pools together.
constexpr size_t kAll = 0;

int IndexOf(const std::string& device) { return torch::Device(device).index(); }

size_t TotalBytes(int index) {
  const c10::cuda::CUDAGuard guard(static_cast<c10::DeviceIndex>(index));
  size_t free = 0, total = 0;
  return cudaMemGetInfo(&free, &total) == cudaSuccess ? total : 0;
}

}  // namespace

void BeginCudaAttempt(const std::string& device, int64_t limit_bytes) {
  try {
    const int index = IndexOf(device);
    caching::init(static_cast<int>(torch::cuda::device_count()));
    const double total = static_cast<double>(TotalBytes(index));
    const double share =
        limit_bytes > 0 && total > 0 ? static_cast<double>(limit_bytes) / total : 1;
    caching::setMemoryFraction(std::min(1.0, share), index);
    caching::resetPeakStats(index);
  } catch (const std::exception&) {
  }
}

int64_t CudaPeakBytes(const std::string& device) {
  try {
    return caching::getDeviceStats(IndexOf(device)).allocated_bytes[kAll].peak;
  } catch (const std::exception&) {
    return 0;
  }
}

int64_t CudaUsedBytes(const std::string& device) {
  try {
    return caching::getDeviceStats(IndexOf(device)).allocated_bytes[kAll].current;
  } catch (const std::exception&) {
    return 0;
  }
}

void EmptyCudaCache() {
  try {
    caching::emptyCache();
  } catch (const std::exception&) {
  }
}

}  // namespace switchyard::worker

#else

namespace switchyard::worker {

void BeginCudaAttempt(const std::string&, int64_t) {}
int64_t CudaPeakBytes(const std::string&) { return 0; }
int64_t CudaUsedBytes(const std::string&) { return 0; }
void EmptyCudaCache() {}

}  // namespace switchyard::worker

#endif
