#include "worker/torch/cpu_memory_limit.h"

#include <c10/core/CPUAllocator.h>

#include <atomic>
#include <cstring>
#include <memory>

#include "worker/torch/torch_header.h"

namespace switchyard::worker {
namespace {

std::atomic<int64_t> limit_bytes{0};
std::atomic<int64_t> used_bytes{0};

// What the deleter of a counted allocation needs.
struct Counted {
  c10::DataPtr memory;
  int64_t bytes;
};

void Release(void* context) {
  auto* counted = static_cast<Counted*>(context);
  used_bytes -= counted->bytes;
  delete counted;
}

c10::DataPtr Allocate(size_t size) {
  const auto bytes = static_cast<int64_t>(size);
  const int64_t limit = limit_bytes;
  if ((used_bytes += bytes) > limit && limit > 0) {
    used_bytes -= bytes;
    TORCH_CHECK(false, "not enough memory: ", bytes,
                " bytes more would pass this runner's limit of ", limit);
  }
  auto counted = std::make_unique<Counted>();
  try {
    counted->memory = c10::GetDefaultCPUAllocator()->allocate(size);
  } catch (...) {
    used_bytes -= bytes;
    throw;
  }
  counted->bytes = bytes;
  void* data = counted->memory.get();
  return {data, counted.release(), &Release, c10::Device(c10::kCPU)};
}

// `allocate` was const until LibTorch 2.3 and `copy_data` came later: without `override`, this
// class fits both sides.
class CountingAllocator final : public c10::Allocator {
 public:
  c10::DataPtr allocate(size_t size) const { return Allocate(size); }
  c10::DataPtr allocate(size_t size) { return Allocate(size); }
  void copy_data(void* to, const void* from, std::size_t count) const {
    std::memcpy(to, from, count);
  }
};

}  // namespace

void SetCpuMemoryLimit(int64_t bytes) {
  // Lives for ever: tensors may outlive main.
  static auto* const allocator = [] {
    auto* const made = new CountingAllocator;
    c10::SetCPUAllocator(made, /*priority=*/1);
    return made;
  }();
  static_cast<void>(allocator);
  limit_bytes = bytes;
}

int64_t CpuMemoryUsed() { return used_bytes; }

}  // namespace switchyard::worker
