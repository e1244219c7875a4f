#include "common/clock/clock.h"

#include <time.h>

#include "absl/time/clock.h"

namespace switchyard {
namespace {

class RealClock final : public Clock {
 public:
  absl::Time Now() override { return absl::Now(); }
  absl::Duration BootTime() override {
    timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    return absl::DurationFromTimespec(now);
  }
};

}  // namespace

Clock& SystemClock() {
  static RealClock* clock = new RealClock;
  return *clock;
}

absl::Time FakeClock::Now() {
  MutexLock lock(mutex_);
  return now_;
}

absl::Duration FakeClock::BootTime() {
  MutexLock lock(mutex_);
  return boot_;
}

void FakeClock::Advance(absl::Duration by) {
  MutexLock lock(mutex_);
  now_ += by;
  boot_ += by;
}

void FakeClock::StepWallClock(absl::Duration by) {
  MutexLock lock(mutex_);
  now_ += by;
}

}  // namespace switchyard
