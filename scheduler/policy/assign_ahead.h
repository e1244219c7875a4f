// How much work a worker may be handed before it can start it, so that short jobs do not wait for a
// round trip each, and how run times are learned. Pure functions.
#pragma once

#include <cstdint>

namespace switchyard::scheduler {

// State of one (device, class).
struct AheadState {
  uint32_t limit = 0;
  uint32_t outstanding = 0;
  uint32_t unknown = 0;     // Outstanding attempts of kinds whose run time is not known.
  int64_t expected_us = 0;  // Expected run time of the outstanding attempts that have not started.
  bool stalled =
      false;  // Held attempts waited in vain lately: what runs takes longer than expected.
};

// Jobs that may still be handed out beyond the limit. None behind work of unknown length: who would
// wait, and how long?
uint32_t AheadRoom(const AheadState& state, uint32_t ahead_jobs, int64_t window_us);

// Expected run time after one more run: moving average with weight 1/8. `expected_us` 0: nothing
// known yet.
int64_t LearnRunTime(int64_t expected_us, int64_t run_us);

// How long a held attempt may wait behind busy slots before it is called back and placed anew.
int64_t StaleAfter(int64_t window_us);

}  // namespace switchyard::scheduler
