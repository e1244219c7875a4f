#include "scheduler/policy/memory_need.h"

#include <algorithm>
#include <bit>

namespace switchyard::scheduler {
namespace {

constexpr int64_t kMiB = 1 << 20;
constexpr int64_t kMarginPercent = 15;
constexpr int kStepBits = 3;  // 8 steps an octave.

}  // namespace

int64_t GrantFor(const KnownNeed& known) {
  if (known.raised_bytes > 0) return known.raised_bytes;
  if (known.stated_bytes > 0) return known.stated_bytes;
  if (known.learned_bytes > 0) return known.learned_bytes;
  return known.default_bytes;
}

int64_t NeedFromPeaks(absl::Span<const int64_t> peaks) {
  int64_t peak = 0;
  for (const int64_t one : peaks) peak = std::max(peak, one);
  if (peak == 0) return 0;
  return (peak + peak / 100 * kMarginPercent + kMiB - 1) / kMiB * kMiB;
}

bool TooLargeForAll(const LargestKnown& known) {
  return known.largest_bytes >= 0 && known.need_bytes > known.largest_bytes;
}

uint8_t MemoryStep(int64_t bytes) {
  if (bytes < kMiB) return 0;
  const uint64_t units = static_cast<uint64_t>(bytes) >> (20 - kStepBits);  // MiB / 8.
  const int octave = std::bit_width(units) - 1 - kStepBits;
  const int part = static_cast<int>(units >> octave & ((1 << kStepBits) - 1));
  return static_cast<uint8_t>(std::min((octave << kStepBits) + part + 1, kMemorySteps - 1));
}

}  // namespace switchyard::scheduler
