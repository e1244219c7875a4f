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

// Stands before each allocation, as long as its alignment. torch asks of a CPU allocator that the
// pointer alone is enough to free by (raw_deallocate), so the size cannot be kept elsewhere.
struct alignas(64) Header {
  int64_t bytes;
};

void Release(void* data) {
  if (data == nullptr) return;
  Header* header = static_cast<Header*>(data) - 1;
  used_bytes -= header->bytes;
  c10::GetDefaultCPUAllocator()->raw_deallocate(header);
}

void Take(int64_t bytes) {
  const int64_t limit = limit_bytes;
  if ((used_bytes += bytes) <= limit || limit <= 0) return;
  used_bytes -= bytes;
  TORCH_CHECK(false, "not enough memory: ", bytes, " bytes more would pass this runner's limit of ",
              limit);
}

c10::DataPtr Allocate(size_t size) {
  const c10::Device cpu(c10::kCPU);
  if (size == 0) return {nullptr, nullptr, &Release, cpu};
  const auto bytes = static_cast<int64_t>(size + sizeof(Header));
  Take(bytes);
  try {
    auto* header = static_cast<Header*>(
        c10::GetDefaultCPUAllocator()->raw_allocate(static_cast<size_t>(bytes)));
    header->bytes = bytes;
    return {header + 1, header + 1, &Release, cpu};
  } catch (...) {
    used_bytes -= bytes;
    throw;
  }
}

// `allocate` was const until LibTorch 2.3 and `copy_data` came later: without `override`, this
// class fits both sides.
class CountingAllocator final : public c10::Allocator {
 public:
  c10::DataPtr allocate(size_t size) const { return Allocate(size); }
  c10::DataPtr allocate(size_t size) { return Allocate(size); }
  c10::DeleterFnPtr raw_deleter() const override { return &Release; }
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
