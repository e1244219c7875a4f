#include "scheduler/policy/fair_share.h"

#include <algorithm>
#include <array>

namespace switchyard::scheduler {
namespace {

// Longer charges at once are cut: eleven days of one device, and the product stays in 64 bits.
constexpr int64_t kLongestCharge = 1'000'000'000'000;

// round(2^(i/16) * 2^16): between them growth is taken as straight.
constexpr std::array<uint32_t, 17> kPowers = {65536,  68438,  71468,  74632,  77936,  81386,
                                              84990,  88752,  92682,  96785,  101070, 105545,
                                              110218, 115098, 120194, 125515, 131072};

}  // namespace

uint32_t GrowthAfter(int64_t elapsed_us, int64_t half_life_us) {
  if (half_life_us <= 0 || elapsed_us <= 0) return kNoGrowth;
  // Half-lives are at most months, so this is far from overflowing.
  const int64_t position = std::min(elapsed_us, half_life_us) / 1000 * 65536 * 16 /
                           std::max<int64_t>(half_life_us / 1000, 1);
  const size_t step = std::min<size_t>(static_cast<size_t>(position >> 16), kPowers.size() - 2);
  const int64_t within = std::min<int64_t>(position - (int64_t{1} << 16) * step, 65536);
  const int64_t rise = kPowers[step + 1] - kPowers[step];
  return static_cast<uint32_t>(kPowers[step] + ((rise * within) >> 16));
}

uint64_t ChargeFor(int64_t device_us, uint32_t weight, uint32_t growth) {
  const uint64_t us = static_cast<uint64_t>(std::clamp<int64_t>(device_us, 0, kLongestCharge));
  const uint64_t units = us * kChargeUnits * growth >> 16;
  return std::max<uint64_t>(units / std::max<uint32_t>(weight, 1), 1);
}

uint64_t Decayed(uint64_t charge, int64_t elapsed_us, int64_t half_life_us) {
  if (half_life_us <= 0 || elapsed_us <= 0) return charge;
  const int64_t halvings = elapsed_us / half_life_us;
  if (halvings >= 64) return 0;
  const uint64_t growth = GrowthAfter(elapsed_us % half_life_us, half_life_us);
  const uint64_t whole = charge >> halvings;
  return (whole / growth << 16) + ((whole % growth << 16) / growth);
}

uint64_t ChargeOnReturn(uint64_t own, uint64_t now, uint64_t then) {
  return std::max(own, std::min(now, then));
}

}  // namespace switchyard::scheduler
