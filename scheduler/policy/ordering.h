// Which waiting job is better ranked: priority, raised by waiting; inside it fair share
// (fair_share.h), then due order (patience.h). Pure functions.
#pragma once

#include <cstdint>

#include "scheduler/core/types.h"

namespace switchyard::scheduler {

// Priorities 1 and 2 are never reached by waiting: urgent work stays ahead of old work.
inline constexpr int kBestAgedPriority = 3;

// Priority after `waited_us`: one step better each `interval_us`, never better than 3 by waiting
// alone. Negative waits (the wall clock stepped back) count as none. REQUIRES: interval_us > 0.
int EffectivePriority(int priority, int64_t waited_us, int64_t interval_us);

// A waiting job's place: smaller is better. `charge` is its tenant's (fair_share.h), `due` orders
// a tenant's own jobs (patience.h).
// Work within its tenant's guarantee (docs/policies/quotas.md) comes before all that is beyond one.
struct Place {
  bool beyond_guarantee = false;
  int level = 0;
  uint64_t charge = 0;
  uint64_t due = 0;
  friend auto operator<=>(const Place&, const Place&) = default;
};

// Start order among the attempts a worker holds: by level, then by dispatch.
uint64_t AssignmentRank(int level, uint64_t dispatch_counter);

}  // namespace switchyard::scheduler
