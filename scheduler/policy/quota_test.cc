#include "scheduler/policy/quota.h"

#include <gtest/gtest.h>

namespace switchyard::scheduler {
namespace {

constexpr int64_t kDayUs = 86'400'000'000;

TEST(Quota, DaysBeginAtMidnightUtc) {
  EXPECT_EQ(DayOf(0), 0);
  EXPECT_EQ(DayOf(kDayUs - 1), 0);
  EXPECT_EQ(DayOf(kDayUs), 1);
  EXPECT_EQ(DayOf(-1), -1);
  EXPECT_EQ(EndOfDay(kDayUs + 5), 2 * kDayUs);
}

TEST(Quota, ADayIsUsedUpAtItsLastSecond) {
  EXPECT_FALSE(DayUsedUp(9'999'999, 10));
  EXPECT_TRUE(DayUsedUp(10'000'000, 10));
  EXPECT_FALSE(DayUsedUp(kDayUs, 0));
}

TEST(Quota, ZeroIsNoLimit) {
  EXPECT_FALSE(OverLimit(1000, 1000, 0));
  EXPECT_FALSE(OverLimit(1, 1, 2));
  EXPECT_TRUE(OverLimit(2, 1, 2));
}

TEST(Quota, OnlyWhatIsBeyondATenantsOwnGuaranteeIsBorrowed) {
  EXPECT_TRUE(IsBorrowed(5, 1, 4));
  EXPECT_FALSE(IsBorrowed(4, 1, 4));
  EXPECT_FALSE(IsBorrowed(5, 2, 4));
  EXPECT_TRUE(IsBorrowed(1, 1, 0));
}

}  // namespace
}  // namespace switchyard::scheduler
