// Bounds what waits for the engine: a queue that only grows would answer nobody in time.
//
// Thread-safe.
#pragma once

#include <atomic>
#include <cstddef>

#include "absl/status/status.h"
#include "common/status/error.h"

namespace switchyard::scheduler {

class Admission {
 public:
  explicit Admission(size_t most_bytes = size_t{512} << 20) : most_bytes_(most_bytes) {}

  // Counts `bytes` as waiting until Leave. RESOURCE_EXHAUSTED (reason ENGINE_OVERLOADED, with a
  // retry delay) when too much waits already. A single call is never too large by itself.
  absl::Status Enter(size_t bytes) {
    const size_t before = bytes_.fetch_add(bytes, std::memory_order_relaxed);
    if (before == 0 || before + bytes <= most_bytes_) return absl::OkStatus();
    Leave(bytes);
    return WithRetryDelay(MakeError(absl::StatusCode::kResourceExhausted, "ENGINE_OVERLOADED",
                                    "more is submitted than can be stored; try again later"),
                          absl::Seconds(1));
  }
  void Leave(size_t bytes) { bytes_.fetch_sub(bytes, std::memory_order_relaxed); }

  size_t waiting_bytes() const { return bytes_.load(std::memory_order_relaxed); }

 private:
  const size_t most_bytes_;
  std::atomic<size_t> bytes_{0};
};

}  // namespace switchyard::scheduler
