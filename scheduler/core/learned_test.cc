#include "scheduler/core/learned.h"

#include <gtest/gtest.h>

namespace switchyard::scheduler {
namespace {

constexpr int64_t kMiB = 1 << 20;

class LearnedTest : public testing::Test {
 protected:
  LearnedTest() {
    learned_.AddKind(10);
    learned_.AddKind(0);
  }
  Learned learned_;
};

TEST_F(LearnedTest, BeforeAnythingIsLearnedAKindAssumes) {
  EXPECT_EQ(learned_.ExpectedRun(0, 7), 10);
  EXPECT_EQ(learned_.ExpectedRun(1, 7), 0);
  EXPECT_FALSE(learned_.TakeChanged());
}

TEST_F(LearnedTest, AModelsOwnRunTimeCountsBeforeItsKinds) {
  learned_.LearnRun(1, 7, 800);
  learned_.LearnRun(1, 8, 1600);
  EXPECT_EQ(learned_.ExpectedRun(1, 7), 800);
  EXPECT_EQ(learned_.ExpectedRun(1, 8), 1600);
  EXPECT_EQ(learned_.ExpectedRun(1, 9), 900);
  EXPECT_TRUE(learned_.TakeChanged());
  EXPECT_FALSE(learned_.TakeChanged());
}

TEST_F(LearnedTest, MemoryIsLearnedByShapeFromRecentPeaks) {
  const uint32_t small = learned_.Workload(1, 7, 1);
  const uint32_t large = learned_.Workload(1, 7, 2);
  learned_.LearnPeak(small, 100 * kMiB);
  EXPECT_EQ(learned_.Need(small), 115 * kMiB);
  EXPECT_EQ(learned_.Need(large), 0);
  // A high one is forgotten once enough others came after it.
  for (size_t i = 0; i < Learned::kPeaksKept; ++i) learned_.LearnPeak(small, 10 * kMiB);
  EXPECT_EQ(learned_.Need(small), 12 * kMiB);
}

TEST_F(LearnedTest, BeyondItsBoundNewShapesCountAsTheirModelOrKind) {
  const uint32_t model = learned_.Workload(1, 7, 0);
  for (uint32_t shape = 1; shape < Learned::kMostWorkloads + 10; ++shape) {
    learned_.Workload(1, 8, shape);
  }
  EXPECT_EQ(learned_.entries().size(), Learned::kMostWorkloads);
  EXPECT_EQ(learned_.Workload(1, 7, 99), model);
  EXPECT_EQ(learned_.Workload(1, 9, 99), 1u);
}

TEST_F(LearnedTest, WhatWasStoredComesBack) {
  learned_.Restore(1, 7, 2, {.run_us = 5, .gap_us = 6, .peaks = {100 * kMiB, 50 * kMiB}});
  const uint32_t workload = learned_.Workload(1, 7, 2);
  EXPECT_EQ(learned_.Need(workload), 115 * kMiB);
  // The newest stays longest.
  for (size_t i = 0; i + 1 < Learned::kPeaksKept; ++i) learned_.LearnPeak(workload, kMiB);
  EXPECT_EQ(learned_.Need(workload), 115 * kMiB);
  learned_.LearnPeak(workload, kMiB);
  EXPECT_LT(learned_.Need(workload), 3 * kMiB);
}

}  // namespace
}  // namespace switchyard::scheduler
