#include "scheduler/policy/preemption.h"

#include <gtest/gtest.h>

namespace switchyard::scheduler {
namespace {

constexpr int64_t kSecond = 1'000'000;

TEST(Preemption, TheOneThatLosesLeastWorkGoesFirst) {
  EXPECT_TRUE(BetterVictim({.saved_us = 90, .priority = 5}, {.saved_us = 10, .priority = 9}));
  EXPECT_FALSE(BetterVictim({.saved_us = 10, .priority = 9}, {.saved_us = 90, .priority = 5}));
}

TEST(Preemption, AtEqualLossTheLeastUrgentThenTheYoungest) {
  EXPECT_TRUE(BetterVictim({.priority = 9, .job = 1}, {.priority = 5, .job = 2}));
  EXPECT_TRUE(BetterVictim({.priority = 5, .job = 2}, {.priority = 5, .job = 1}));
}

TEST(Preemption, NothingIsPreemptedInItsMinimumRunTime) {
  EXPECT_EQ(ProtectedUntil(10 * kSecond, 0, {.min_run_us = 60 * kSecond}), 70 * kSecond);
  EXPECT_EQ(ProtectedUntil(kNever - 1, 0, {.min_run_us = 60 * kSecond}), kNever);
}

TEST(Preemption, EachTimeTheVictimIsLeftAloneForTwiceAsLong) {
  const PreemptionPolicy policy{.min_run_us = 60 * kSecond};
  EXPECT_EQ(ProtectedUntil(0, 1, policy), 120 * kSecond);
  EXPECT_EQ(ProtectedUntil(0, 3, policy), 480 * kSecond);
  EXPECT_EQ(ProtectedUntil(0, 10, policy), ProtectedUntil(0, 1000, policy));
}

TEST(Preemption, TheWaitingJobMustBeMoreUrgentByTheDistance) {
  EXPECT_EQ(FirstVictimPriority(3, {.priority_distance = 2}), 5);
  EXPECT_GT(FirstVictimPriority(8, {.priority_distance = 2}), kLeastUrgentPriority);
}

TEST(Preemption, WhatIsFreeWithinTheGraceTimeIsWaitedFor) {
  EXPECT_FALSE(WorthPreempting(30 * kSecond, 0, 30 * kSecond));
  EXPECT_TRUE(WorthPreempting(31 * kSecond, 0, 30 * kSecond));
  EXPECT_TRUE(WorthPreempting(kNever, 0, 30 * kSecond));
}

}  // namespace
}  // namespace switchyard::scheduler
