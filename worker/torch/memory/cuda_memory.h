// The caching allocator of CUDA devices, as far as attempts' memory is concerned. A build against a
// LibTorch without CUDA has none: then nothing is bounded and every figure is 0. Thread-safe.
#pragma once

#include <cstdint>
#include <string>

namespace switchyard::worker {

// Starts counting anew on `device` (`cuda:N`), and lets this process have at most `limit_bytes` of
// it; 0: all there is. CUDA's own context is not counted. Where CUDA refuses, all stays as it is
// and the peak is 0.
void BeginCudaAttempt(const std::string& device, int64_t limit_bytes);
// Most bytes tensors of this process held on it since.
int64_t CudaPeakBytes(const std::string& device);
// Bytes its tensors hold now.
int64_t CudaUsedBytes(const std::string& device);
// Hands cached blocks back to the device, so that others may have what was evicted.
void EmptyCudaCache();

}  // namespace switchyard::worker
