// Running attempts that may be preempted, the one that loses least first (policy/preemption.h).
// Internal to the core.
//
// An attempt comes in once its minimum run time is over; until then it stands in order of when that
// will be, which is looked at whenever victims are. So preemptible work costs a few steps, other
// work none.
#pragma once

#include <compare>
#include <cstdint>

#include "absl/container/btree_set.h"
#include "scheduler/core/slab.h"
#include "scheduler/core/types.h"
#include "scheduler/policy/preemption.h"

namespace switchyard::scheduler {

struct VictimEntry {
  Victim victim;
  uint32_t attempt = kNone;
};

struct BetterVictimEntry {
  bool operator()(const VictimEntry& a, const VictimEntry& b) const {
    if (BetterVictim(a.victim, b.victim)) return true;
    return !BetterVictim(b.victim, a.victim) && a.attempt < b.attempt;
  }
};

// An attempt in its minimum run time. It may end before it is over: told by its fencing number.
struct ProtectedAttempt {
  int64_t until_us = 0;
  uint32_t attempt = kNone;
  Fencing fencing;
  friend auto operator<=>(const ProtectedAttempt&, const ProtectedAttempt&) = default;
};

// Not thread-safe.
class Victims {
 public:
  using Order = absl::btree_set<VictimEntry, BetterVictimEntry>;

  Order& Of(JobClass job_class, bool gpu, int priority) {
    return orders_[static_cast<int>(job_class)][gpu ? 1 : 0][priority];
  }
  absl::btree_set<ProtectedAttempt>& young() { return young_; }

 private:
  Order orders_[kJobClasses][2][kLeastUrgentPriority + 1];
  absl::btree_set<ProtectedAttempt> young_;
};

}  // namespace switchyard::scheduler
