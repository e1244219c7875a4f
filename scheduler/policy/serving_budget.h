// How much of a device resident models may take. Pure functions. docs/policies/memory.md tells it
// to people.
#pragma once

#include <cstdint>

namespace switchyard::scheduler {

// What a serving runner is given where nobody else wants it: a share of the device.
int64_t ServingTarget(int64_t device_bytes, uint32_t share_percent);

// The budget to ask for so that an attempt that needs `need_bytes` fits beside it; never below what
// cannot be evicted. -1: it would not fit even then, or fits already.
struct ServingShrink {
  int64_t need_bytes = 0;
  int64_t free_bytes = 0;    // May be negative.
  int64_t budget_bytes = 0;  // Promised now.
  int64_t busy_bytes = 0;
};
int64_t ShrunkBudget(const ServingShrink& shrink);

}  // namespace switchyard::scheduler
