#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scheduler/policy/assign_ahead.h"
#include "scheduler/policy/limits.h"
#include "scheduler/policy/ordering.h"
#include "scheduler/policy/placement.h"
#include "scheduler/policy/retry.h"

namespace switchyard::scheduler {
namespace {

constexpr int64_t kInterval = 300'000'000;

TEST(Ordering, WaitingRaisesPriorityByOneStepEachInterval) {
  EXPECT_EQ(EffectivePriority(5, kInterval - 1, kInterval), 5);
  EXPECT_EQ(EffectivePriority(5, kInterval, kInterval), 4);
  EXPECT_EQ(EffectivePriority(9, 3 * kInterval, kInterval), 6);
}

TEST(Ordering, WaitingNeverRaisesAboveThree) {
  EXPECT_EQ(EffectivePriority(9, 1000 * kInterval, kInterval), 3);
  EXPECT_EQ(EffectivePriority(2, 1000 * kInterval, kInterval), 2);
}

TEST(Ordering, AClockThatSteppedBackRaisesNothing) {
  EXPECT_EQ(EffectivePriority(5, -kInterval, kInterval), 5);
}

TEST(Ordering, LevelThenChargeThenSubmission) {
  EXPECT_LT((Place{.level = 1, .charge = 900, .due = 9}),
            (Place{.level = 2, .charge = 0, .due = 1}));
  EXPECT_LT((Place{.level = 2, .charge = 0, .due = 9}), (Place{.level = 2, .charge = 1, .due = 1}));
  EXPECT_LT((Place{.level = 2, .charge = 1, .due = 1}), (Place{.level = 2, .charge = 1, .due = 2}));
}

TEST(Ordering, WhatIsGuaranteedGoesBeforeWhatIsBorrowed) {
  EXPECT_LT((Place{.level = 9}), (Place{.beyond_guarantee = true, .level = 1}));
}

TEST(Ordering, RankIsByLevelThenDispatch) {
  EXPECT_LT(AssignmentRank(1, 1000), AssignmentRank(2, 1));
  EXPECT_LT(AssignmentRank(2, 1), AssignmentRank(2, 2));
}

TEST(Placement, DevicesMatchRequests) {
  EXPECT_TRUE(DeviceMatches("auto", "cpu"));
  EXPECT_TRUE(DeviceMatches("cuda", "cuda:3"));
  EXPECT_TRUE(DeviceMatches("cuda:3", "cuda:3"));
  EXPECT_FALSE(DeviceMatches("cuda:3", "cuda:1"));
  EXPECT_FALSE(DeviceMatches("cuda", "cpu"));
  EXPECT_FALSE(DeviceMatches("cpu", "cuda:0"));
}

TEST(Placement, EmptierIsBetterAndStartingAtOnceBeatsWaiting) {
  const int empty = LoadStep({.limit = 4, .outstanding = 0, .ahead_room = 9, .ahead_jobs = 256});
  const int busy = LoadStep({.limit = 4, .outstanding = 3, .ahead_room = 9, .ahead_jobs = 256});
  const int ahead = LoadStep({.limit = 4, .outstanding = 4, .ahead_room = 9, .ahead_jobs = 256});
  EXPECT_LT(empty, busy);
  EXPECT_LT(busy, ahead);
  EXPECT_LT(busy, kFirstAheadStep);
  EXPECT_GE(ahead, kFirstAheadStep);
}

TEST(Placement, NoRoomIsNoPlace) {
  EXPECT_EQ(LoadStep({.limit = 4, .outstanding = 4, .ahead_room = 0, .ahead_jobs = 256}), -1);
  EXPECT_EQ(LoadStep({.limit = 0, .outstanding = 0, .ahead_room = 0, .ahead_jobs = 256}), -1);
}

TEST(AssignAhead, RoomIsBoundedByJobsAndByExpectedWork) {
  AheadState state{.limit = 4, .outstanding = 4, .unknown = 0, .expected_us = 0};
  EXPECT_EQ(AheadRoom(state, 256, 50'000), 256u);
  state.outstanding = 259;
  EXPECT_EQ(AheadRoom(state, 256, 50'000), 1u);
  state.outstanding = 260;
  EXPECT_EQ(AheadRoom(state, 256, 50'000), 0u);
  state.outstanding = 10;
  state.expected_us = 50'000;
  EXPECT_EQ(AheadRoom(state, 256, 50'000), 0u);
}

TEST(AssignAhead, NothingWaitsBehindWorkOfUnknownLength) {
  EXPECT_EQ(AheadRoom({.limit = 4, .outstanding = 4, .unknown = 1}, 256, 50'000), 0u);
  EXPECT_EQ(AheadRoom({.limit = 4, .outstanding = 4, .stalled = true}, 256, 50'000), 0u);
  EXPECT_EQ(AheadRoom({.limit = 0, .outstanding = 0}, 256, 50'000), 0u);
}

TEST(AssignAhead, RunTimesAreLearned) {
  EXPECT_EQ(LearnRunTime(0, 4000), 4000);
  EXPECT_EQ(LearnRunTime(1000, 9000), 2000);
  int64_t expected = 1'000'000;
  for (int i = 0; i < 200; ++i) expected = LearnRunTime(expected, 10);
  EXPECT_LT(expected, 20);
}

TEST(Limits, DefaultsAreThoseOfTheDesign) {
  EXPECT_EQ(DefaultLimit("cuda:0", JobClass::kTraining), 1u);
  EXPECT_EQ(DefaultLimit("cuda:0", JobClass::kInference), 3u);
  EXPECT_EQ(DefaultLimit("cpu", JobClass::kTraining), 2u);
  EXPECT_EQ(DefaultLimit("cpu", JobClass::kInference), 4u);
  EXPECT_EQ(DefaultLimit("", JobClass::kGeneral), 8u);
}

TEST(Limits, TheMostSpecificRuleCounts) {
  const JobClass training = JobClass::kTraining;
  std::vector<LimitRule> rules = {{"", "", training, 5}};
  EXPECT_EQ(ResolveLimit(rules, "w1", "cuda:0", training), 5u);
  rules.push_back({"", "cuda", training, 6});
  EXPECT_EQ(ResolveLimit(rules, "w1", "cuda:0", training), 6u);
  EXPECT_EQ(ResolveLimit(rules, "w1", "cpu", training), 5u);
  rules.push_back({"", "cuda:0", training, 7});
  EXPECT_EQ(ResolveLimit(rules, "w1", "cuda:0", training), 7u);
  rules.push_back({"w1", "", training, 0});
  EXPECT_EQ(ResolveLimit(rules, "w1", "cuda:0", training), 0u);
  EXPECT_EQ(ResolveLimit(rules, "w2", "cuda:0", training), 7u);
  EXPECT_EQ(ResolveLimit(rules, "w1", "cuda:0", JobClass::kInference), 3u);
}

TEST(Limits, MergingReplacesAndClears) {
  const JobClass training = JobClass::kTraining;
  auto rules = MergeLimits({{"w", "cpu", training, 1}},
                           {{"w", "cpu", training, 2}, {"", "cpu", training, 3}}, {});
  EXPECT_THAT(rules, testing::ElementsAre(LimitRule{"", "cpu", training, 3},
                                          LimitRule{"w", "cpu", training, 2}));
  rules = MergeLimits(rules, {}, {{"w", "cpu", training, 0}});
  EXPECT_THAT(rules, testing::ElementsAre(LimitRule{"", "cpu", training, 3}));
}

TEST(Retry, PermanentErrorsFailAtOnce) {
  const auto decision =
      DecideRetry({.outcome = Outcome::kFailed, .permanent = true, .failed = 1}, {});
  EXPECT_FALSE(decision.retry);
  EXPECT_EQ(decision.reason, Reason::kWorkFailed);
}

TEST(Retry, OtherFailuresGetThreeAttemptsWithBackoff) {
  const auto second = DecideRetry({.job = 7, .outcome = Outcome::kFailed, .failed = 1}, {});
  const auto third = DecideRetry({.job = 7, .outcome = Outcome::kFailed, .failed = 2}, {});
  EXPECT_TRUE(second.retry);
  EXPECT_TRUE(third.retry);
  EXPECT_GT(third.wait_us, second.wait_us);
  EXPECT_FALSE(DecideRetry({.outcome = Outcome::kFailed, .failed = 3}, {}).retry);
}

TEST(Retry, AJobThatLosesItsRunnersIsPoison) {
  EXPECT_TRUE(DecideRetry({.outcome = Outcome::kRunnerLost, .lost = 2}, {}).retry);
  const auto decision = DecideRetry({.outcome = Outcome::kRunnerLost, .lost = 3}, {});
  EXPECT_FALSE(decision.retry);
  EXPECT_EQ(decision.reason, Reason::kPoison);
}

TEST(Retry, HeldWorkIsNotBlamedForItsWorkersEnd) {
  const EndedAttempt held{
      .outcome = Outcome::kWorkerLost, .started = false, .lost = 0, .lost_unstarted = 5};
  EXPECT_TRUE(DecideRetry(held, {}).retry);
  EXPECT_EQ(DecideRetry(held, {}).wait_us, 0);
}

TEST(Retry, BackoffDoublesUpToTheMaximumAndDiffersByJob) {
  const RetryPolicy policy;
  EXPECT_GE(Backoff(1, 1, policy), 1'000'000);
  EXPECT_LE(Backoff(1, 1, policy), 1'100'000);
  EXPECT_GE(Backoff(3, 1, policy), 4'000'000);
  EXPECT_LE(Backoff(100, 1, policy), 66'000'000);
  EXPECT_NE(Backoff(5, 1, policy), Backoff(5, 2, policy));
}

}  // namespace
}  // namespace switchyard::scheduler
