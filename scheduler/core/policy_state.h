// What policies learned, as it is kept over restarts. A plain value; the engine stores it as one
// document, at most every few seconds.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "scheduler/core/learned.h"

namespace switchyard::scheduler {

struct TenantUse {
  std::string name;
  uint64_t charge = 0;  // At `wall_us`, at no growth (policy/fair_share.h).
  int64_t day = 0;      // policy/quota.h.
  int64_t used_us = 0;  // Device time of that day.
};

struct PolicyState {
  int64_t wall_us = 0;         // When it was taken.
  uint64_t least_charged = 0;  // Charge of the least charged tenant that waited.
  std::vector<TenantUse> tenants;
  std::vector<LearnedRecord> learned;
};

}  // namespace switchyard::scheduler
