#include "scheduler/policy/serving_budget.h"

namespace switchyard::scheduler {

int64_t ServingTarget(int64_t device_bytes, uint32_t share_percent) {
  if (device_bytes <= 0) return 0;
  return device_bytes / 100 * share_percent;
}

int64_t ShrunkBudget(const ServingShrink& shrink) {
  const int64_t missing = shrink.need_bytes - shrink.free_bytes;
  const int64_t budget = shrink.budget_bytes - missing;
  return missing > 0 && budget >= shrink.busy_bytes && budget >= 0 ? budget : -1;
}

}  // namespace switchyard::scheduler
