#include "scheduler/policy/fair_share.h"

#include <gtest/gtest.h>

#include <cmath>

namespace switchyard::scheduler {
namespace {

constexpr int64_t kHourUs = 3'600'000'000;
constexpr int64_t kHalfLife = 24 * kHourUs;

TEST(FairShare, ChargeIsTimeOverWeight) {
  EXPECT_EQ(ChargeFor(1000, 1), 2 * ChargeFor(1000, 2));
  EXPECT_GE(ChargeFor(0, 1000), 1u);
}

TEST(FairShare, GrowthDoublesInAHalfLife) {
  EXPECT_EQ(GrowthAfter(0, kHalfLife), kNoGrowth);
  EXPECT_EQ(GrowthAfter(kHalfLife, kHalfLife), 2 * kNoGrowth);
  EXPECT_EQ(GrowthAfter(kHalfLife, 0), kNoGrowth);
  for (int64_t hour = 0; hour < 24; ++hour) {
    const double exact = std::exp2(static_cast<double>(hour) / 24) * kNoGrowth;
    EXPECT_NEAR(GrowthAfter(hour * kHourUs, kHalfLife), exact, exact * 0.0005);
    EXPECT_LT(GrowthAfter(hour * kHourUs, kHalfLife), GrowthAfter((hour + 1) * kHourUs, kHalfLife));
  }
}

// The same time charged later weighs as if what was charged before had shrunk.
TEST(FairShare, ChargingMoreLaterIsLettingOldChargesShrink) {
  const uint64_t early = ChargeFor(kHourUs, 1);
  const uint64_t late = ChargeFor(kHourUs, 1, GrowthAfter(kHalfLife, kHalfLife));
  EXPECT_EQ(late, 2 * early);
  EXPECT_EQ(Decayed(early, kHalfLife, kHalfLife), early / 2);
}

TEST(FairShare, DecayGoesOnPastManyHalfLives) {
  EXPECT_EQ(Decayed(1 << 20, 10 * kHalfLife, kHalfLife), 1u << 10);
  EXPECT_EQ(Decayed(UINT64_MAX, 100 * kHalfLife, kHalfLife), 0u);
  EXPECT_EQ(Decayed(77, kHourUs, 0), 77u);
  EXPECT_NEAR(static_cast<double>(Decayed(1'000'000, kHalfLife / 2, kHalfLife)), 707'107, 400);
}

TEST(FairShare, AFullyUsedSiteOfEightyThousandDevicesStaysInSixtyFourBits) {
  // What a whole site charges in a half-life of 30 days, with all that came before: at most twice
  // one half-life's worth at full growth.
  const double half_life_us = 30.0 * 24 * kHourUs;
  EXPECT_LT(80'000 * half_life_us * kChargeUnits / std::log(2) * 2, 1.8e19);
}

TEST(FairShare, IdlingSavesUpALittleAndNoMore) {
  EXPECT_EQ(ChargeOnReturn(/*own=*/10, /*now=*/900, /*then=*/500), 500u);
  EXPECT_EQ(ChargeOnReturn(10, 300, 500), 300u);
  EXPECT_EQ(ChargeOnReturn(950, 900, 500), 950u);
}

}  // namespace
}  // namespace switchyard::scheduler
