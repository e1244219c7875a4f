#include "scheduler/policy/urgent_share.h"

#include <gtest/gtest.h>

namespace switchyard::scheduler {
namespace {

constexpr int64_t kWindow = 60'000'000;

TEST(UrgentShare, AnIdlePlaceIsForUrgentWorkFirst) {
  EXPECT_FALSE(UrgentHadItsShare({}, 50, kWindow));
}

TEST(UrgentShare, TimeUsedInTheWindowCounts) {
  EXPECT_TRUE(UrgentHadItsShare({.urgent_us = 31'000'000, .other_us = 29'000'000}, 50, kWindow));
  EXPECT_FALSE(UrgentHadItsShare({.urgent_us = 29'000'000, .other_us = 31'000'000}, 50, kWindow));
}

TEST(UrgentShare, ABurstIsNotLetInWholeBeforeItShows) {
  UrgentLoad load;
  uint32_t urgent = 0;
  for (int place = 0; place < 8; ++place) {
    const bool had = UrgentHadItsShare(load, 50, kWindow);
    urgent += had ? 0 : 1;
    ++(had ? load.other_devices : load.urgent_devices);
  }
  EXPECT_EQ(urgent, 4u);
}

TEST(UrgentShare, OverALongRunItGetsItsShareOfOnePlace) {
  for (const uint32_t share : {25u, 50u, 75u}) {
    UrgentLoad load;
    for (int turn = 0; turn < 6000; ++turn) {
      (UrgentHadItsShare(load, share, kWindow) ? load.other_us : load.urgent_us) += 10'000;
    }
    EXPECT_NEAR(static_cast<double>(load.urgent_us) / 60e6, share / 100.0, 0.01);
  }
}

TEST(UrgentShare, AHundredPercentIsNoBound) {
  EXPECT_FALSE(UrgentHadItsShare({.urgent_us = kWindow, .urgent_devices = 8}, 100, kWindow));
}

}  // namespace
}  // namespace switchyard::scheduler
