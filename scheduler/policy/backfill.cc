#include "scheduler/policy/backfill.h"

#include <algorithm>

namespace switchyard::scheduler {

int64_t ExpectedEnd(int64_t start_us, int64_t expected_us, int64_t timeout_us, int64_t now_us) {
  const bool known = expected_us > 0;
  int64_t length_us = known ? std::min(expected_us, timeout_us) : timeout_us;
  if (length_us >= kNever - start_us) return kNever;
  length_us = std::max<int64_t>(length_us, 1);
  const int64_t late_us = now_us - (start_us + length_us);
  return late_us < 0 ? start_us + length_us : now_us + std::max(late_us, kSoonUs);
}

GangStart ExpectedStart(const GangSupply& supply, uint32_t most_spare, int64_t now_us,
                        absl::FunctionRef<int64_t()> next_end) {
  uint64_t have = supply.free;
  if (have >= supply.needed) return {now_us, have - supply.needed};
  have += supply.soon;
  GangStart start{.time_us = now_us + kSoonUs};
  while (have < supply.needed) {
    start.time_us = next_end();
    if (start.time_us == kNever) return start;
    ++have;
  }
  start.spare = have - supply.needed;
  while (start.spare < most_spare && next_end() <= start.time_us) ++start.spare;
  return start;
}

bool MayBackfill(const GangStart& gang, uint32_t devices, int64_t run_us, int64_t now_us) {
  if (gang.spare >= devices) return true;
  if (run_us == kNever) return false;
  if (gang.time_us == kNever) return run_us <= kBackfillUnknownStartUs;
  return run_us <= gang.time_us - now_us;
}

}  // namespace switchyard::scheduler
