#include "worker/torch/memory/counting_allocator.h"

#include <c10/core/CPUAllocator.h>

#include <cstring>
#include <utility>

#include "worker/torch/torch_header.h"

namespace switchyard::worker {
namespace {

// Lives for ever: tensors may outlive main.
CpuMeter& Process() {
  static auto* const meter = new CpuMeter(0);
  return *meter;
}

std::atomic<CpuMeter*> process_attempt{nullptr};
thread_local CpuMeter* thread_attempt = nullptr;
thread_local bool outside = false;
thread_local std::optional<MemoryRefusal> refusal;

// Stands before each allocation, as long as its alignment. torch asks of a CPU allocator that the
// pointer alone is enough to free by (raw_deallocate), so neither size nor owner can be kept
// elsewhere.
struct alignas(64) Header {
  int64_t bytes;
  CpuMeter* attempt;  // Null: nobody's.
};

CpuMeter* Owner() {
  if (outside) return nullptr;
  return thread_attempt != nullptr ? thread_attempt : process_attempt.load();
}

void GiveBack(CpuMeter* attempt, int64_t bytes) {
  if (attempt != nullptr) attempt->Give(bytes);
  Process().Give(bytes);
}

[[noreturn]] void Refuse(const CpuMeter& meter, int64_t bytes, const char* whose) {
  refusal = MemoryRefusal{meter.used_bytes() + bytes, meter.limit_bytes()};
  TORCH_CHECK(false, "not enough memory: ", bytes, " bytes more would pass ", whose, " limit of ",
              meter.limit_bytes());
}

void Take(CpuMeter* attempt, int64_t bytes) {
  if (attempt != nullptr && !attempt->Take(bytes)) Refuse(*attempt, bytes, "this attempt's");
  if (Process().Take(bytes)) return;
  if (attempt != nullptr) attempt->Give(bytes);
  Refuse(Process(), bytes, "this runner's");
}

void Free(void* data) {
  if (data == nullptr) return;
  Header* header = static_cast<Header*>(data) - 1;
  const Header was = *header;
  c10::GetDefaultCPUAllocator()->raw_deallocate(header);
  GiveBack(was.attempt, was.bytes);
}

c10::DataPtr Allocate(size_t size) {
  const c10::Device cpu(c10::kCPU);
  if (size == 0) return {nullptr, nullptr, &Free, cpu};
  const auto bytes = static_cast<int64_t>(size + sizeof(Header));
  CpuMeter* const attempt = Owner();
  Take(attempt, bytes);
  try {
    auto* header = static_cast<Header*>(
        c10::GetDefaultCPUAllocator()->raw_allocate(static_cast<size_t>(bytes)));
    *header = {bytes, attempt};
    return {header + 1, header + 1, &Free, cpu};
  } catch (...) {
    GiveBack(attempt, bytes);
    throw;
  }
}

// `allocate` was const until LibTorch 2.3 and `copy_data` came later: without `override`, this
// class fits both sides.
class CountingAllocator final : public c10::Allocator {
 public:
  c10::DataPtr allocate(size_t size) const { return Allocate(size); }
  c10::DataPtr allocate(size_t size) { return Allocate(size); }
  c10::DeleterFnPtr raw_deleter() const override { return &Free; }
  void copy_data(void* to, const void* from, std::size_t count) const {
    std::memcpy(to, from, count);
  }
};

}  // namespace

bool CpuMeter::Take(int64_t bytes) {
  const int64_t limit = limit_bytes_;
  const int64_t used = used_bytes_ += bytes;
  Peak(used);
  if (limit > 0 && used > limit) {
    used_bytes_ -= bytes;
    return false;
  }
  ++references_;
  return true;
}

void CpuMeter::Give(int64_t bytes) {
  used_bytes_ -= bytes;
  Unref();
}

void CpuMeter::Unref() {
  if (--references_ == 0) delete this;
}

void CpuMeter::Peak(int64_t bytes) {
  int64_t peak = peak_bytes_;
  while (bytes > peak && !peak_bytes_.compare_exchange_weak(peak, bytes)) {
  }
}

void SetCpuMemoryLimit(int64_t bytes) {
  static auto* const allocator = [] {
    auto* const made = new CountingAllocator;
    c10::SetCPUAllocator(made, /*priority=*/1);
    return made;
  }();
  static_cast<void>(allocator);
  Process().set_limit_bytes(bytes);
}

int64_t CpuMemoryUsed() { return Process().used_bytes(); }

void SetThreadMeter(CpuMeter* meter) { thread_attempt = meter; }
void SetProcessMeter(CpuMeter* meter) { process_attempt = meter; }

OutsideAttempts::OutsideAttempts() : outside_before_(std::exchange(outside, true)) {}
OutsideAttempts::~OutsideAttempts() { outside = outside_before_; }

std::optional<MemoryRefusal> TakeMemoryRefusal() { return std::exchange(refusal, std::nullopt); }

}  // namespace switchyard::worker
