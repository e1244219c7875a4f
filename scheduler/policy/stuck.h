// When running work that makes no progress counts as stuck. Pure functions. docs/policies/stuck.md
// tells it to people.
#pragma once

#include <cstdint>

namespace switchyard::scheduler {

// Nothing learned makes work STUCK sooner than this.
inline constexpr int64_t kLeastNoProgressUs = 600'000'000;

// The usual longest gap between two signs of progress after one more gap: a longer one counts at
// once, shorter ones bring it down slowly (by 1/16 of the difference). `usual_us` 0: none seen yet.
int64_t LearnGap(int64_t usual_us, int64_t gap_us);

struct ProgressKnowledge {
  int64_t stated_us = 0;          // The job's no_progress_timeout; 0: none.
  bool reports_progress = false;  // The kind does.
  int64_t usual_gap_us = 0;       // LearnGap; 0: none seen yet.
};
// How long an attempt may show no progress: as stated, else ten times the usual gap, at least
// kLeastNoProgressUs. 0: for ever (kinds that never report progress, or of which nothing is known).
int64_t NoProgressLimit(const ProgressKnowledge& known);

}  // namespace switchyard::scheduler
