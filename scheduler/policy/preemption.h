// Which running work is asked to make room for work that is more urgent, and when it may be. Pure
// functions.
//
// A preemption is a notice: the victim checkpoints, hands its devices back and is queued again as
// the same job. So the one that loses least work goes first, and none is asked before it has run
// for a minimum time, which doubles with each preemption: a job that is preempted again and again
// gets more done each time.
#pragma once

#include <cstdint>

#include "scheduler/core/types.h"

namespace switchyard::scheduler {

// A running attempt as a possible victim. Times are of the boot clock.
struct Victim {
  int64_t saved_us = 0;  // Its last checkpoint, or its start when it made none.
  int priority = 0;      // Of its job, as submitted: waiting makes nobody a better victim.
  JobId job = 0;         // Larger is younger.
};

// Whether `a` is asked before `b`: less work is lost, then the less urgent, then the younger one.
bool BetterVictim(const Victim& a, const Victim& b);

struct PreemptionPolicy {
  int64_t min_run_us = 60'000'000;
  uint32_t priority_distance = 2;
};

// From when on an attempt that started then may be preempted, of a job that was `preempted` so
// often before. Each time it is left alone for twice as long (at most 1,024 times the minimum): so
// a job is preempted no more often than the logarithm of its length, whatever more urgent work
// comes.
int64_t ProtectedUntil(int64_t start_us, uint32_t preempted, const PreemptionPolicy& policy);

// Least urgent enough priority of a victim for a waiting job of this priority; above 9: none.
int FirstVictimPriority(int waiting_priority, const PreemptionPolicy& policy);

// Whether it is worth it: what is expected to be free within the grace time is waited for instead.
bool WorthPreempting(int64_t expected_start_us, int64_t now_us, int64_t grace_us);

}  // namespace switchyard::scheduler
