// Ends the runner when its leases have expired, even when the daemon that renews them is stopped.
#pragma once

#include <cstdint>
#include <functional>
#include <thread>

#include "common/clock/clock.h"
#include "common/sync/mutex.h"

namespace switchyard::worker {

// Thread-safe.
class LeaseWatchdog {
 public:
  // `holds_attempts` says whether there is anything under a lease: an idle runner outlives it.
  // `expired` is called from the watchdog's thread, once; usually it does not return.
  LeaseWatchdog(Clock& clock, std::function<bool()> holds_attempts, std::function<void()> expired);
  ~LeaseWatchdog();
  // Nanoseconds of CLOCK_BOOTTIME. Before the first call the lease counts as expired.
  void SetExpiry(int64_t boottime_ns);

 private:
  void Run();

  Clock& clock_;
  const std::function<bool()> holds_attempts_;
  const std::function<void()> expired_;
  Mutex mutex_;
  CondVar changed_;
  int64_t expiry_ns_ GUARDED_BY(mutex_) = 0;
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace switchyard::worker
