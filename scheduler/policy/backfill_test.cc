#include "scheduler/policy/backfill.h"

#include <gtest/gtest.h>

#include <vector>

namespace switchyard::scheduler {
namespace {

constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kNow = 1000 * kSecond;

GangStart StartOf(const GangSupply& supply, std::vector<int64_t> ends, uint32_t most_spare = 8) {
  size_t at = 0;
  return ExpectedStart(supply, most_spare, kNow,
                       [&] { return at < ends.size() ? ends[at++] : kNever; });
}

TEST(Backfill, AGangStartsWhenTheLastDeviceItNeedsIsExpectedFree) {
  const auto start = StartOf({.needed = 4, .free = 2},
                             {kNow + 10 * kSecond, kNow + 20 * kSecond, kNow + 30 * kSecond});
  EXPECT_EQ(start.time_us, kNow + 20 * kSecond);
  EXPECT_EQ(start.spare, 0u);
}

TEST(Backfill, DevicesThatBecomeFreeTogetherLeaveSomeSpare) {
  const int64_t end = kNow + 10 * kSecond;
  const auto start = StartOf({.needed = 4, .free = 2}, {end, end, end, end, end + 1});
  EXPECT_EQ(start.time_us, end);
  EXPECT_EQ(start.spare, 2u);
}

TEST(Backfill, ShortWorkCountsAsDoneSoon) {
  const auto start = StartOf({.needed = 4, .free = 2, .soon = 3}, {});
  EXPECT_EQ(start.time_us, kNow + kSoonUs);
  EXPECT_EQ(start.spare, 1u);
}

TEST(Backfill, WithoutKnownEndsNobodyKnowsTheStart) {
  EXPECT_EQ(StartOf({.needed = 4, .free = 2}, {kNow + 1}).time_us, kNever);
}

TEST(Backfill, WhatIsDoneBeforeTheGangStartsMayRun) {
  const GangStart gang{.time_us = kNow + 10 * kSecond};
  EXPECT_TRUE(MayBackfill(gang, 1, 10 * kSecond, kNow));
  EXPECT_FALSE(MayBackfill(gang, 1, 10 * kSecond + 1, kNow));
  EXPECT_FALSE(MayBackfill(gang, 1, kNever, kNow));
}

TEST(Backfill, WhatTheGangDoesNotNeedMayBeUsedByAnything) {
  const GangStart gang{.time_us = kNow + 10 * kSecond, .spare = 2};
  EXPECT_TRUE(MayBackfill(gang, 2, kNever, kNow));
  EXPECT_FALSE(MayBackfill(gang, 3, kNever, kNow));
}

TEST(Backfill, BeforeAnUnknownStartOnlyShortWorkRuns) {
  EXPECT_TRUE(MayBackfill(GangStart(), 1, kBackfillUnknownStartUs, kNow));
  EXPECT_FALSE(MayBackfill(GangStart(), 1, kBackfillUnknownStartUs + 1, kNow));
}

TEST(Backfill, AnEndIsTheLearnedRunTimeOrElseTheTimeout) {
  EXPECT_EQ(ExpectedEnd(kNow, 5 * kSecond, kNever, kNow), kNow + 5 * kSecond);
  EXPECT_EQ(ExpectedEnd(kNow, 0, 7 * kSecond, kNow), kNow + 7 * kSecond);
  EXPECT_EQ(ExpectedEnd(kNow, 9 * kSecond, 7 * kSecond, kNow), kNow + 7 * kSecond);
  EXPECT_EQ(ExpectedEnd(kNow, 0, kNever, kNow), kNever);
}

TEST(Backfill, WhatIsLateIsThoughtToNeedAsLongAgain) {
  EXPECT_EQ(ExpectedEnd(kNow - 5 * kSecond, 5 * kSecond, kNever, kNow), kNow + kSoonUs);
  EXPECT_EQ(ExpectedEnd(kNow - 15 * kSecond, 5 * kSecond, kNever, kNow), kNow + 10 * kSecond);
}

}  // namespace
}  // namespace switchyard::scheduler
