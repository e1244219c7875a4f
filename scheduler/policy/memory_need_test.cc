#include "scheduler/policy/memory_need.h"

#include <gtest/gtest.h>

namespace switchyard::scheduler {
namespace {

constexpr int64_t kMiB = 1 << 20;
constexpr int64_t kGiB = 1 << 30;

TEST(GrantFor, WhatAnAttemptRanOutOfCountsMost) {
  EXPECT_EQ(
      GrantFor({.raised_bytes = 4, .stated_bytes = 3, .learned_bytes = 2, .default_bytes = 1}), 4);
  EXPECT_EQ(GrantFor({.stated_bytes = 3, .learned_bytes = 2, .default_bytes = 1}), 3);
  EXPECT_EQ(GrantFor({.learned_bytes = 2, .default_bytes = 1}), 2);
  EXPECT_EQ(GrantFor({.default_bytes = 1}), 1);
  EXPECT_EQ(GrantFor({}), 0);
}

TEST(NeedFromPeaks, IsTheHighestWithAMarginInWholeMebibytes) {
  EXPECT_EQ(NeedFromPeaks({}), 0);
  EXPECT_EQ(NeedFromPeaks({100 * kMiB, 200 * kMiB, 50 * kMiB}), 230 * kMiB);
  EXPECT_EQ(NeedFromPeaks({1}), kMiB);
}

TEST(TooLargeForAll, ComparesWithTheLargestDeviceKnown) {
  EXPECT_TRUE(TooLargeForAll({.need_bytes = 25 * kGiB, .largest_bytes = 24 * kGiB}));
  EXPECT_FALSE(TooLargeForAll({.need_bytes = 24 * kGiB, .largest_bytes = 24 * kGiB}));
  EXPECT_FALSE(TooLargeForAll({.need_bytes = 0, .largest_bytes = 0}));
}

TEST(TooLargeForAll, SaysNothingWhileNoDeviceIsKnown) {
  EXPECT_FALSE(TooLargeForAll({.need_bytes = 25 * kGiB, .largest_bytes = -1}));
}

TEST(MemoryStep, GrowsWithTheBytesAndHasEightStepsAnOctave) {
  EXPECT_EQ(MemoryStep(0), 0);
  EXPECT_EQ(MemoryStep(-5), 0);
  EXPECT_EQ(MemoryStep(kMiB - 1), 0);
  EXPECT_EQ(MemoryStep(kMiB), 1);
  EXPECT_EQ(MemoryStep(2 * kMiB), 9);
  EXPECT_EQ(MemoryStep(4 * kMiB), 17);
  EXPECT_EQ(MemoryStep(INT64_MAX), kMemorySteps - 1);
  for (int64_t bytes = kMiB; bytes < 5000 * kGiB; bytes += bytes / 37 + 1) {
    EXPECT_LE(MemoryStep(bytes), MemoryStep(bytes + bytes / 37 + 1));
  }
}

TEST(MemoryStep, AGreaterStepHasRoomForAnyNeedOfALesserOne) {
  for (int64_t need = kMiB; need < 4000 * kGiB; need += need / 29 + 1) {
    for (int64_t free = need / 2; free < need * 2; free += free / 13 + 1) {
      if (MemoryStep(free) <= MemoryStep(need)) continue;
      EXPECT_GT(free, need);
    }
  }
}

}  // namespace
}  // namespace switchyard::scheduler
