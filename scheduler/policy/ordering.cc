#include "scheduler/policy/ordering.h"

#include <algorithm>

namespace switchyard::scheduler {
namespace {

constexpr int kCounterBits = 56;

}  // namespace

int EffectivePriority(int priority, int64_t waited_us, int64_t interval_us) {
  if (priority <= kBestAgedPriority || waited_us < interval_us) return priority;
  const int64_t steps = std::min<int64_t>(waited_us / interval_us, kLeastUrgentPriority);
  return std::max<int>(kBestAgedPriority, priority - static_cast<int>(steps));
}

uint64_t AssignmentRank(int level, uint64_t dispatch_counter) {
  return static_cast<uint64_t>(level) << kCounterBits |
         (dispatch_counter & ((uint64_t{1} << kCounterBits) - 1));
}

}  // namespace switchyard::scheduler
