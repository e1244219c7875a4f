// Where a job may run and which of the possible places is best. Filter: class, kind, device. Score:
// model resident, then least loaded, then a GPU before processors. Pure functions.
#pragma once

#include <cstdint>

#include "absl/strings/string_view.h"

namespace switchyard::scheduler {

// Whether a device (`cpu`, `cuda:0`) is what a job asks for (`auto`, `cpu`, `cuda`, `cuda:N`).
bool DeviceMatches(absl::string_view request, absl::string_view device);

// True for `cpu`, `cuda` and `cuda:N`: the user named what must exist.
bool NamesDevice(absl::string_view request);

// Load of a (device, class), in steps: 0 to 7 where an attempt would start at once, 8 to 15 where
// it would wait there (assigned ahead), -1 where there is no room. Lower is better.
inline constexpr int kLoadSteps = 16;
inline constexpr int kFirstAheadStep = 8;
inline constexpr uint32_t kStartsAtOnceMask = (1u << kFirstAheadStep) - 1;

struct PoolLoad {
  uint32_t limit = 0;
  uint32_t outstanding = 0;  // Attempts handed out and not ended, running or not.
  uint32_t ahead_room = 0;   // Jobs that may be handed out beyond the limit, by assign_ahead.h.
  uint32_t ahead_jobs = 0;   // Most of them.
};
int LoadStep(const PoolLoad& load);

}  // namespace switchyard::scheduler
