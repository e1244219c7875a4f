// Weighted fair share between tenants: each carries a charge, decayed device time over weight, and
// the least charged goes first.
//
// Decay without touching anybody: instead of letting old charges shrink, new ones grow, by 2^(time
// / half-life); what is compared is the same. Once a half-life all charges are halved and the
// growth starts again at one, so they stay in 64 bits. All in integers: the order never depends on
// how a machine rounds.
//
// A tenant that comes back after idling starts at the charge that the least charged of the waiting
// had some minutes ago (start-time fair queueing, Goyal, Vin, Cheng 1996, with a bounded credit),
// so that idling saves up those minutes and no more. Pure functions.
#pragma once

#include <cstdint>

namespace switchyard::scheduler {

// Growth as fixed point with 16 bits of fraction.
inline constexpr uint32_t kNoGrowth = 1u << 16;
// What one microsecond on one device charges a tenant of weight one at no growth.
inline constexpr uint64_t kChargeUnits = 16;

// 2^(elapsed / half_life), within 0.05 %. `half_life_us` 0: never decays. REQUIRES: 0 <= elapsed_us
// < half_life_us, or no half-life.
uint32_t GrowthAfter(int64_t elapsed_us, int64_t half_life_us);

// What `device_us` of device time adds to a tenant's charge; at least 1, so that jobs of no known
// length take turns.
uint64_t ChargeFor(int64_t device_us, uint32_t weight, uint32_t growth = kNoGrowth);

// A charge as it stands after `elapsed_us` more, counted at no growth.
uint64_t Decayed(uint64_t charge, int64_t elapsed_us, int64_t half_life_us);

// Charge of a tenant that begins to wait: its own, or that of the others when this is more. `now`
// and `then` are the charge of the least charged that waits: now, and as long ago as idling counts.
uint64_t ChargeOnReturn(uint64_t own, uint64_t now, uint64_t then);

}  // namespace switchyard::scheduler
