// What follows when an attempt runs out of memory: a smaller batch, more memory (idle models give
// way, or another device), or the job's end. Each time something is asked that the last attempt did
// not have, at most `max_times` times, so it never goes on for ever. Pure functions.
// docs/policies/memory.md tells it to people.
#pragma once

#include <cstdint>

namespace switchyard::scheduler {

struct OutOfMemory {
  uint32_t times = 1;  // Attempts of the job that ran out, this one included.
  uint32_t max_times = 8;
  bool shrinks_batch = false;   // The kind allows it.
  uint32_t batch = 0;           // Worked with; 0: not known or none.
  int64_t needed_bytes = 0;     // Held and asked for when it ran out; 0: not known.
  int64_t granted_bytes = 0;    // 0: nothing was set apart.
  int64_t free_bytes = 0;       // That a further attempt may be granted on the same device now.
  int64_t evictable_bytes = 0;  // Idle models there could give so much more.
  int64_t largest_bytes = 0;    // Most that any fitting device could ever grant; 0: not known.
};

struct OutOfMemoryDecision {
  enum Action {
    kShrinkBatch,  // The next attempt takes at most `batch`.
    kEvict,        // It is granted `grant_bytes`; idle models on the same device are to give way.
    kMore,         // It is granted `grant_bytes`, wherever there is so much.
    kFail,
  };
  Action action = kFail;
  uint32_t batch = 0;
  int64_t grant_bytes = 0;
};

OutOfMemoryDecision DecideOutOfMemory(const OutOfMemory& facts);

}  // namespace switchyard::scheduler
