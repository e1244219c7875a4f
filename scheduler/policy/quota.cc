#include "scheduler/policy/quota.h"

namespace switchyard::scheduler {
namespace {

constexpr int64_t kDayUs = 86'400'000'000;
constexpr int64_t kMicrosecondsPerSecond = 1'000'000;

}  // namespace

int64_t DayOf(int64_t wall_us) {
  return wall_us >= 0 ? wall_us / kDayUs : -((-wall_us + kDayUs - 1) / kDayUs);
}

int64_t EndOfDay(int64_t wall_us) { return (DayOf(wall_us) + 1) * kDayUs; }

bool DayUsedUp(int64_t used_us, uint64_t limit_seconds) {
  return limit_seconds != 0 &&
         static_cast<uint64_t>(used_us / kMicrosecondsPerSecond) >= limit_seconds;
}

}  // namespace switchyard::scheduler
