// How much memory of a device an attempt is granted, and the steps in which need and room are
// compared without looking at each place. Pure functions. docs/policies/memory.md tells it to
// people.
#pragma once

#include <cstdint>

#include "absl/types/span.h"

namespace switchyard::scheduler {

// What is known of a job's need, bytes a device; 0: not known.
struct KnownNeed {
  int64_t raised_bytes = 0;  // After an attempt ran out.
  int64_t stated_bytes = 0;
  int64_t learned_bytes = 0;  // NeedFromPeaks of like work.
  int64_t default_bytes = 0;  // Of the kind.
};
// The grant: raised, else stated, else learned, else the default. 0: unknown, nothing is set apart.
int64_t GrantFor(const KnownNeed& known);

// Need of work whose like held at most `peaks` bytes: the most of them, a margin of 15 % for what
// differs from run to run (fragmentation, library workspaces), rounded up to a MiB. No peaks: 0.
int64_t NeedFromPeaks(absl::Span<const int64_t> peaks);

// How a waiting job's need stands to the devices known.
struct LargestKnown {
  int64_t need_bytes = 0;     // 0: unknown.
  int64_t largest_bytes = 0;  // Most that a fitting device could ever grant; -1: none is known.
};
// Whether none of the devices known could ever hold it. Where none is known, as after a start or
// while workers are away, nobody can say.
bool TooLargeForAll(const LargestKnown& known);

// Bytes as a step of a logarithmic scale with 8 steps an octave, rounded down: 0 for less than a
// MiB (and for unknown needs), then from 1 at a MiB up to kMemorySteps - 1 (more than 4 TiB). A
// greater step surely has room for a need of a lesser one; within one step the bytes decide.
inline constexpr int kMemorySteps = 192;
uint8_t MemoryStep(int64_t bytes);

}  // namespace switchyard::scheduler
