#include "scheduler/policy/waiting_bound.h"

#include <algorithm>

#include "scheduler/core/types.h"
#include "scheduler/policy/ordering.h"

namespace switchyard::scheduler {

int64_t WaitingBound(const WaitingConditions& is) {
  const int64_t rest_percent = 100 - static_cast<int64_t>(is.urgent_share_percent);
  if (is.places == 0 || rest_percent <= 0) return kNever;
  const int64_t steps = std::max(0, is.priority - kBestAgedPriority);
  // The order is looked at sixteen times an interval.
  const int64_t ageing_us = steps * is.ageing_interval_us + is.ageing_interval_us / 16;
  // One job of every tenant, and one on each place, may go out of turn.
  const int64_t ahead_us =
      is.own_work_us + (int64_t{is.tenants} + int64_t{is.places}) * is.longest_us;
  const int64_t turn_us = ahead_us * is.all_weights / std::max<uint32_t>(is.weight, 1) * 100 /
                          (rest_percent * is.places);
  return ageing_us + turn_us + is.idle_credit_us + is.longest_us;
}

}  // namespace switchyard::scheduler
