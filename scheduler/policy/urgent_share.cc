#include "scheduler/policy/urgent_share.h"

namespace switchyard::scheduler {

bool UrgentHadItsShare(const UrgentLoad& load, uint32_t share_percent, int64_t window_us) {
  if (share_percent >= 100) return false;
  const int64_t urgent_us = load.urgent_us + load.urgent_devices * window_us;
  const int64_t other_us = load.other_us + load.other_devices * window_us;
  // Exactly its share is not more than it: of one place and nothing used, urgent work goes first.
  const int64_t all_us = urgent_us + other_us;
  return urgent_us * 100 > all_us * share_percent;
}

}  // namespace switchyard::scheduler
