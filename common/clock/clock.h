// Time as an injected port: nothing below main.cc asks the system for it.
#pragma once

#include <cstdint>

#include "absl/time/time.h"
#include "common/sync/mutex.h"

namespace switchyard {

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  // Wall clock. May step. For deadlines people set and times people read.
  virtual absl::Time Now() = 0;
  // CLOCK_BOOTTIME: never steps, goes on while the machine sleeps. For leases and durations. Its
  // zero is arbitrary.
  virtual absl::Duration BootTime() = 0;
};

// The system's. Lives for ever.
Clock& SystemClock();

// Stands still until told. For tests.
class FakeClock final : public Clock {
 public:
  explicit FakeClock(absl::Time now = absl::FromUnixSeconds(1'700'000'000)) : now_(now) {}
  absl::Time Now() override;
  absl::Duration BootTime() override;
  // Moves both clocks.
  void Advance(absl::Duration by);
  // Moves the wall clock only, as an administrator or NTP does.
  void StepWallClock(absl::Duration by);

 private:
  Mutex mutex_;
  absl::Time now_ GUARDED_BY(mutex_);
  absl::Duration boot_ GUARDED_BY(mutex_) = absl::Hours(1);
};

}  // namespace switchyard
