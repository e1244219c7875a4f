#include "scheduler/policy/patience.h"

#include "gtest/gtest.h"
#include "scheduler/core/types.h"

namespace switchyard::scheduler {
namespace {

constexpr int64_t kMinuteUs = 60'000'000;
constexpr int64_t kDayUs = 1440 * kMinuteUs;

JobId SubmittedAt(int64_t us) { return NextJobId(0, us / 1000); }

TEST(Patience, StepsAreCoarse) {
  EXPECT_EQ(PatienceStep(1), 0);
  EXPECT_EQ(PatienceStep(kMinuteUs), 0);
  EXPECT_EQ(PatienceStep(kMinuteUs + 1), 1);
  EXPECT_EQ(PatienceStep(4 * kMinuteUs), 1);
  EXPECT_EQ(PatienceStep(30 * kDayUs), 8);
  EXPECT_EQ(PatienceStep(5000 * kDayUs), kPatienceSteps - 1);
}

TEST(Patience, WhatIsNotKnownIsTakenAsAnHour) {
  EXPECT_EQ(PatienceStep(kNever), PatienceStep(60 * kMinuteUs));
  EXPECT_EQ(PatienceStep(0), PatienceStep(60 * kMinuteUs));
}

TEST(Patience, AlikeJobsGoInOrderOfSubmission) {
  EXPECT_LT(DueOrder(SubmittedAt(1'000), 3, 100), DueOrder(SubmittedAt(2'000), 3, 100));
  EXPECT_LT(DueOrder(7, 3, 100), DueOrder(8, 3, 100));
}

TEST(Patience, AShortJobPassesALongOne) {
  const JobId training = SubmittedAt(0);
  const JobId minute = SubmittedAt(12 * 60 * kMinuteUs);
  EXPECT_LT(DueOrder(minute, PatienceStep(kMinuteUs), 100),
            DueOrder(training, PatienceStep(kDayUs), 100));
}

TEST(Patience, NoJobIsPassedByOneThatCameAfterItsPatience) {
  for (uint8_t step = 0; step < kPatienceSteps; ++step) {
    const JobId job = SubmittedAt(kDayUs);
    const JobId late = SubmittedAt(kDayUs + PatienceOf(step, 100) + 1000);
    EXPECT_LT(DueOrder(job, step, 100), DueOrder(late, 0, 100)) << int{step};
  }
}

TEST(Patience, WithoutPatienceSubmissionAloneCounts) {
  EXPECT_EQ(DueOrder(SubmittedAt(kDayUs), 9, 0), SubmittedAt(kDayUs));
}

}  // namespace
}  // namespace switchyard::scheduler
