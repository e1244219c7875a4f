// How long a job may wait at most: the bound of docs/policies/ordering.md. A pure function; tests
// and the simulation hold the scheduler to it.
#pragma once

#include <cstdint>

namespace switchyard::scheduler {

struct WaitingConditions {
  int priority = 5;
  int64_t ageing_interval_us = 0;
  uint32_t urgent_share_percent = 50;
  int64_t idle_credit_us = 0;
  uint32_t places = 1;       // That fit it, without those guaranteed to other tenants.
  uint32_t weight = 1;       // Of its tenant.
  uint32_t all_weights = 1;  // Of all tenants that wait.
  uint32_t tenants = 1;      // That wait.
  int64_t own_work_us = 0;   // Device time of its tenant's jobs that go before it.
  int64_t longest_us = 0;    // Of one attempt of anybody.
};

// Microseconds from the time the job could run (accepted, `not_before`, backoff over) to its start,
// at most. For priorities 3 to 9, while its places stay, and while no cap of its own tenant, key or
// array holds it back. kNever: there is no bound (no places, or urgent work may have all).
int64_t WaitingBound(const WaitingConditions& conditions);

}  // namespace switchyard::scheduler
