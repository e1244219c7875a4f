#include "scheduler/policy/assign_ahead.h"

#include <algorithm>

namespace switchyard::scheduler {
namespace {

constexpr int64_t kShare = 8;
// A window of waiting is what assigning ahead promises; the rest is for the way to the worker and
// back.
constexpr int64_t kStaleWindows = 4;

}  // namespace

uint32_t AheadRoom(const AheadState& state, uint32_t ahead_jobs, int64_t window_us) {
  if (state.limit == 0 || state.unknown > 0 || state.stalled) return 0;
  if (state.outstanding < state.limit) return ahead_jobs;
  if (state.expected_us >= window_us) return 0;
  const uint32_t held = state.outstanding - state.limit;
  return held < ahead_jobs ? ahead_jobs - held : 0;
}

int64_t LearnRunTime(int64_t expected_us, int64_t run_us) {
  run_us = std::max<int64_t>(run_us, 1);
  if (expected_us <= 0) return run_us;
  return std::max<int64_t>(expected_us + (run_us - expected_us) / kShare, 1);
}

int64_t StaleAfter(int64_t window_us) { return kStaleWindows * window_us; }

}  // namespace switchyard::scheduler
