#include "scheduler/policy/stuck.h"

#include <gtest/gtest.h>

namespace switchyard::scheduler {
namespace {

constexpr int64_t kSecond = 1'000'000;

TEST(LearnGap, ALongerGapCountsAtOnceAndIsForgottenSlowly) {
  EXPECT_EQ(LearnGap(0, 5 * kSecond), 5 * kSecond);
  EXPECT_EQ(LearnGap(5 * kSecond, 80 * kSecond), 80 * kSecond);
  EXPECT_EQ(LearnGap(80 * kSecond, 0), 80 * kSecond - (80 * kSecond - 1) / 16);
}

TEST(NoProgressLimit, WhatTheJobStatesCounts) {
  EXPECT_EQ(NoProgressLimit({.stated_us = 3 * kSecond, .usual_gap_us = 900 * kSecond}),
            3 * kSecond);
}

TEST(NoProgressLimit, ElseTenUsualGapsAndNeverLessThanTheFloor) {
  EXPECT_EQ(NoProgressLimit({.reports_progress = true, .usual_gap_us = kSecond}),
            kLeastNoProgressUs);
  EXPECT_EQ(NoProgressLimit({.reports_progress = true, .usual_gap_us = 100 * kSecond}),
            1000 * kSecond);
}

TEST(NoProgressLimit, NothingIsKnownOfWorkThatNeverShowedProgress) {
  EXPECT_EQ(NoProgressLimit({.reports_progress = true}), 0);
  EXPECT_EQ(NoProgressLimit({.reports_progress = false, .usual_gap_us = kSecond}), 0);
}

}  // namespace
}  // namespace switchyard::scheduler
