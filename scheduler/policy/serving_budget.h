// How much of a device resident models may take. Pure functions. docs/policies/memory.md tells it
// to people.
#pragma once

#include <cstdint>
#include <vector>

namespace switchyard::scheduler {

// What a serving runner is given where nobody else wants it: a share of the device.
int64_t ServingTarget(int64_t device_bytes, uint32_t share_percent);

// Memory that serving runners share with an attempt that needs some of it: of one device, or of a
// host whose devices draw on one ledger.
struct ServingShrink {
  int64_t need_bytes = 0;
  int64_t free_bytes = 0;                // May be negative.
  std::vector<int64_t> evictable_bytes;  // Of each runner's budget, what could be freed.
};
// What each is to give up so that the attempt fits: no more than is missing, of as few as can be.
// Empty: it would not fit even then, or fits already.
std::vector<int64_t> WhatToEvict(const ServingShrink& shrink);

}  // namespace switchyard::scheduler
