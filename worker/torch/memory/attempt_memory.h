// The memory of one attempt as LibTorch's allocators see it.
#pragma once

#include <memory>
#include <string>

#include "worker/executor/attempt_memory.h"

namespace switchyard::worker {

// Counts tensors on `device` and holds them to `limit_bytes` (0: no limit).
//
// On a cpu: what the threads that entered it allocate; with `whole_process` what any thread does.
// On a GPU only with `whole_process`, as CUDA's caching allocator knows processes and no threads:
// its peak, and its share of the device; attempts that share a runner are not told apart there and
// have the peak 0. REQUIRES: SetCpuMemoryLimit was called.
std::unique_ptr<AttemptMemory> MakeAttemptMemory(const std::string& device, int64_t limit_bytes,
                                                 bool whole_process);

}  // namespace switchyard::worker
