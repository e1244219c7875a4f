#include "scheduler/policy/serving_budget.h"

#include <algorithm>
#include <cstddef>
#include <numeric>

namespace switchyard::scheduler {

int64_t ServingTarget(int64_t device_bytes, uint32_t share_percent) {
  if (device_bytes <= 0) return 0;
  return device_bytes / 100 * share_percent;
}

std::vector<int64_t> WhatToEvict(const ServingShrink& shrink) {
  const auto& evictable = shrink.evictable_bytes;
  int64_t missing = shrink.need_bytes - shrink.free_bytes;
  if (missing <= 0 || std::accumulate(evictable.begin(), evictable.end(), int64_t{0}) < missing)
    return {};
  std::vector<size_t> order(evictable.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return evictable[a] > evictable[b]; });
  std::vector<int64_t> given(evictable.size(), 0);
  for (const size_t i : order) {
    given[i] = std::min(evictable[i], missing);
    missing -= given[i];
  }
  return given;
}

}  // namespace switchyard::scheduler
