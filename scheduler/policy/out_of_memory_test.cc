#include "scheduler/policy/out_of_memory.h"

#include <gtest/gtest.h>

namespace switchyard::scheduler {
namespace {

constexpr int64_t kGiB = int64_t{1} << 30;

TEST(OutOfMemory, ShrinksTheBatchWhereTheKindAllows) {
  const auto decision = DecideOutOfMemory({.shrinks_batch = true, .batch = 33});
  EXPECT_EQ(decision.action, OutOfMemoryDecision::kShrinkBatch);
  EXPECT_EQ(decision.batch, 16u);
}

TEST(OutOfMemory, ABatchOfOneIsNotShrunk) {
  const auto decision = DecideOutOfMemory({.shrinks_batch = true,
                                           .batch = 1,
                                           .needed_bytes = 4 * kGiB,
                                           .granted_bytes = 4 * kGiB,
                                           .free_bytes = 24 * kGiB,
                                           .largest_bytes = 24 * kGiB});
  EXPECT_EQ(decision.action, OutOfMemoryDecision::kMore);
  EXPECT_EQ(decision.grant_bytes, 6 * kGiB);
}

TEST(OutOfMemory, IdleModelsGiveWayWhereThatIsEnough) {
  const auto decision = DecideOutOfMemory({.needed_bytes = 8 * kGiB,
                                           .granted_bytes = 8 * kGiB,
                                           .free_bytes = 9 * kGiB,
                                           .evictable_bytes = 4 * kGiB,
                                           .largest_bytes = 24 * kGiB});
  EXPECT_EQ(decision.action, OutOfMemoryDecision::kEvict);
  EXPECT_EQ(decision.grant_bytes, 12 * kGiB);
}

TEST(OutOfMemory, GoesToAnotherDeviceWhereEvictingIsNotEnough) {
  const auto decision = DecideOutOfMemory({.needed_bytes = 8 * kGiB,
                                           .granted_bytes = 8 * kGiB,
                                           .free_bytes = 1 * kGiB,
                                           .evictable_bytes = 4 * kGiB,
                                           .largest_bytes = 24 * kGiB});
  EXPECT_EQ(decision.action, OutOfMemoryDecision::kMore);
}

TEST(OutOfMemory, TheLargestDeviceIsTriedOnceWholeThenItFails) {
  OutOfMemory facts{
      .needed_bytes = 20 * kGiB, .granted_bytes = 18 * kGiB, .largest_bytes = 24 * kGiB};
  EXPECT_EQ(DecideOutOfMemory(facts).grant_bytes, 24 * kGiB);
  facts.granted_bytes = 24 * kGiB;
  facts.needed_bytes = 24 * kGiB;
  EXPECT_EQ(DecideOutOfMemory(facts).action, OutOfMemoryDecision::kFail);
}

TEST(OutOfMemory, FailsAtOnceWhereNoDeviceIsLargeEnough) {
  EXPECT_EQ(DecideOutOfMemory(
                {.needed_bytes = 30 * kGiB, .granted_bytes = 8 * kGiB, .largest_bytes = 24 * kGiB})
                .action,
            OutOfMemoryDecision::kFail);
}

TEST(OutOfMemory, AnUnknownNeedIsGivenTheMostThereIs) {
  EXPECT_EQ(DecideOutOfMemory({.largest_bytes = 24 * kGiB}).grant_bytes, 24 * kGiB);
  EXPECT_EQ(DecideOutOfMemory({}).action, OutOfMemoryDecision::kFail);
}

// Whatever a worker reports, a job's attempts are bounded.
TEST(OutOfMemory, NeverGoesOnForEver) {
  for (uint32_t batch : {0u, 1u, 1u << 31}) {
    OutOfMemory facts{.shrinks_batch = true, .batch = batch, .needed_bytes = 1};
    for (facts.times = 1; facts.times <= facts.max_times; ++facts.times) {
      const auto decision = DecideOutOfMemory(facts);
      if (decision.action == OutOfMemoryDecision::kFail) break;
      if (decision.batch != 0) facts.batch = decision.batch;
      if (decision.grant_bytes != 0) facts.granted_bytes = decision.grant_bytes;
    }
    EXPECT_LE(facts.times, facts.max_times);
  }
}

}  // namespace
}  // namespace switchyard::scheduler
