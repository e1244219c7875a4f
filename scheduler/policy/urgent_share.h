// How much of the device time priorities 1 and 2 may have while others wait: what keeps urgent work
// from starving the rest, and makes the bound on waiting hold (docs/policies/ordering.md). Pure
// functions.
#pragma once

#include <cstdint>

namespace switchyard::scheduler {

// The least urgent of the priorities that count as urgent.
inline constexpr int kLeastUrgentOfUrgent = 2;

// Use of the places of one shape: device time in the last window, and devices held now by attempts
// handed out and not ended.
struct UrgentLoad {
  int64_t urgent_us = 0;
  int64_t other_us = 0;
  uint32_t urgent_devices = 0;
  uint32_t other_devices = 0;
};

// Whether urgent work has had its share there: the next free place goes to other work that waits.
// What is held now counts as if it went on for one more window, so that a burst of long urgent jobs
// is not let in whole before it shows. `share_percent` 100: never.
bool UrgentHadItsShare(const UrgentLoad& load, uint32_t share_percent, int64_t window_us);

}  // namespace switchyard::scheduler
