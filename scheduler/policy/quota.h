// What a tenant may use: devices at once, device time of a UTC day, and what it is guaranteed of
// the devices. Pure functions.
#pragma once

#include <cstdint>

namespace switchyard::scheduler {

// Number of the UTC day, and its end: when quotas of a day begin anew.
int64_t DayOf(int64_t wall_us);
int64_t EndOfDay(int64_t wall_us);

// Whether so many more would be too many. `most` 0: there is no limit.
inline bool OverLimit(uint64_t in_use, uint64_t more, uint64_t most) {
  return most != 0 && in_use + more > most;
}

// Whether a day's device time is used up. `limit_seconds` 0: there is no limit.
bool DayUsedUp(int64_t used_us, uint64_t limit_seconds);

// Whether devices may be taken away from a tenant in favour of one within its guarantee: they are
// borrowed as far as the tenant still has its own guarantee without them.
inline bool IsBorrowed(uint32_t in_use, uint32_t devices, uint32_t guaranteed) {
  return in_use >= devices && in_use - devices >= guaranteed;
}

}  // namespace switchyard::scheduler
