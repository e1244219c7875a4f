#include "scheduler/policy/out_of_memory.h"

#include <algorithm>

namespace switchyard::scheduler {
namespace {

constexpr int64_t kMiB = 1 << 20;

// Of what it needed when it ran out, a quarter more: it had not come to its peak. At least half as
// much again as it had, so that a few attempts reach any size.
int64_t NextGrant(const OutOfMemory& facts) {
  int64_t next = std::max(facts.needed_bytes + facts.needed_bytes / 4,
                          facts.granted_bytes + facts.granted_bytes / 2);
  next = (next + kMiB - 1) / kMiB * kMiB;
  // Nothing is known of its need: the most there is.
  if (next == 0) return facts.largest_bytes;
  return facts.largest_bytes > 0 ? std::min(next, facts.largest_bytes) : next;
}

}  // namespace

OutOfMemoryDecision DecideOutOfMemory(const OutOfMemory& facts) {
  if (facts.times >= facts.max_times) return {};
  if (facts.shrinks_batch && facts.batch > 1) {
    return {.action = OutOfMemoryDecision::kShrinkBatch, .batch = facts.batch / 2};
  }
  const int64_t next = NextGrant(facts);
  if (next <= facts.granted_bytes || next < facts.needed_bytes) return {};
  const bool evicting_helps =
      next > facts.free_bytes && next <= facts.free_bytes + facts.evictable_bytes;
  return {.action = evicting_helps ? OutOfMemoryDecision::kEvict : OutOfMemoryDecision::kMore,
          .grant_bytes = next};
}

}  // namespace switchyard::scheduler
