#include "worker/runner/watchdog.h"

#include <algorithm>

namespace switchyard::worker {
namespace {

// Longest sleep: bounds how late a lease that ran out while the machine slept, or while nothing was
// held, is seen.
constexpr absl::Duration kLongestSleep = absl::Milliseconds(500);

}  // namespace

LeaseWatchdog::LeaseWatchdog(Clock& clock, std::function<bool()> holds_attempts,
                             std::function<void()> expired)
    : clock_(clock),
      holds_attempts_(std::move(holds_attempts)),
      expired_(std::move(expired)),
      thread_([this] { Run(); }) {}

LeaseWatchdog::~LeaseWatchdog() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.SignalAll();
  thread_.join();
}

void LeaseWatchdog::SetExpiry(int64_t boottime_ns) {
  MutexLock lock(mutex_);
  expiry_ns_ = boottime_ns;
}

void LeaseWatchdog::Run() {
  while (true) {
    {
      MutexLock lock(mutex_);
      if (stopping_) return;
      const absl::Duration left = absl::Nanoseconds(expiry_ns_) - clock_.BootTime();
      if (left > absl::ZeroDuration()) {
        changed_.WaitFor(mutex_, absl::ToChronoNanoseconds(std::min(left, kLongestSleep)));
        continue;
      }
      if (!holds_attempts_()) {
        changed_.WaitFor(mutex_, absl::ToChronoNanoseconds(kLongestSleep));
        continue;
      }
    }
    expired_();
    return;
  }
}

}  // namespace switchyard::worker
