// Counts and bounds the memory that tensors take on the CPU: of the whole process, and of each
// attempt. Past a bound an allocation fails as if the machine were out of memory, which becomes the
// out-of-memory outcome of that attempt alone, where the kernel's killer would take the runner.
//
// An allocation belongs to the meter its thread has entered, and stays that meter's whoever frees
// it. Allocations of threads that entered none are the process's only, or, where the process serves
// one attempt, that attempt's. Not counted: scratch memory inside oneDNN, and what is no tensor.
//
// Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>

namespace switchyard::worker {

// Bytes now and at most, under a limit. Lives as long as its owner or anything it counted, so it is
// made by new and given up by Release.
class CpuMeter {
 public:
  // 0: no limit.
  explicit CpuMeter(int64_t limit_bytes) : limit_bytes_(limit_bytes) {}

  // False, and nothing is taken, when the limit would be passed.
  bool Take(int64_t bytes);
  void Give(int64_t bytes);
  // The owner's part.
  void Release() { Unref(); }

  void set_limit_bytes(int64_t bytes) { limit_bytes_ = bytes; }
  int64_t limit_bytes() const { return limit_bytes_; }
  int64_t used_bytes() const { return used_bytes_; }
  int64_t peak_bytes() const { return peak_bytes_; }

 private:
  ~CpuMeter() = default;
  void Unref();
  void Peak(int64_t bytes);

  std::atomic<int64_t> limit_bytes_;
  std::atomic<int64_t> used_bytes_{0};
  std::atomic<int64_t> peak_bytes_{0};
  std::atomic<int64_t> references_{1};
};

// Counting begins with the first call; 0: no limit, which is how a process starts.
void SetCpuMemoryLimit(int64_t bytes);
// Bytes of the whole process at the moment.
int64_t CpuMemoryUsed();

// The meter of the calling thread; null: none. It must live until it is replaced.
void SetThreadMeter(CpuMeter* meter);
// The meter of threads that have none; null: none. For a process that serves one attempt.
void SetProcessMeter(CpuMeter* meter);

// While it lives, what the calling thread allocates is no attempt's: models that stay resident.
class OutsideAttempts {
 public:
  OutsideAttempts();
  ~OutsideAttempts();
  OutsideAttempts(const OutsideAttempts&) = delete;
  OutsideAttempts& operator=(const OutsideAttempts&) = delete;

 private:
  const bool outside_before_;
};

// Why the calling thread's last allocation failed; taken out, so that it explains one error only.
struct MemoryRefusal {
  int64_t need_bytes = 0;   // What would have been held.
  int64_t limit_bytes = 0;  // What may be.
};
std::optional<MemoryRefusal> TakeMemoryRefusal();

}  // namespace switchyard::worker
