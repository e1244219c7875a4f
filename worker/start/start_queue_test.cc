#include "worker/start/start_queue.h"

#include "gtest/gtest.h"

namespace switchyard::worker {
namespace {

using ::switchyard::v1::INFERENCE;
using ::switchyard::v1::TRAINING;
using Limits = google::protobuf::RepeatedPtrField<::switchyard::worker::v1::DeviceLimit>;

Limits MakeLimits(uint32_t training, uint32_t inference) {
  Limits limits;
  auto* limit = limits.Add();
  limit->set_job_class(TRAINING);
  limit->set_max_running(training);
  limit = limits.Add();
  limit->set_job_class(INFERENCE);
  limit->set_max_running(inference);
  return limits;
}

AttemptKey Key(uint64_t job) { return {job, 1, 1, job}; }

TEST(StartQueue, StartsNothingBeforeLimitsCame) {
  StartQueue queue;
  queue.Add(Key(1), INFERENCE, 1);
  EXPECT_EQ(queue.TakeNext(), std::nullopt);
  queue.SetLimits(MakeLimits(0, 1));
  EXPECT_EQ(queue.TakeNext(), Key(1));
}

TEST(StartQueue, StartsTheLowestRankFirstAndThenTheFirstThatCame) {
  StartQueue queue;
  queue.SetLimits(MakeLimits(9, 9));
  queue.Add(Key(1), INFERENCE, 5);
  queue.Add(Key(2), INFERENCE, 5);
  queue.Add(Key(3), INFERENCE, 2);
  queue.Add(Key(4), TRAINING, 3);
  EXPECT_EQ(queue.TakeNext(), Key(3));
  EXPECT_EQ(queue.TakeNext(), Key(4));
  EXPECT_EQ(queue.TakeNext(), Key(1));
  EXPECT_EQ(queue.TakeNext(), Key(2));
  EXPECT_EQ(queue.TakeNext(), std::nullopt);
}

TEST(StartQueue, HoldsBackAClassAtItsLimitAndLetsOthersPass) {
  StartQueue queue;
  queue.SetLimits(MakeLimits(1, 1));
  queue.Add(Key(1), TRAINING, 1);
  queue.Add(Key(2), TRAINING, 2);
  queue.Add(Key(3), INFERENCE, 3);
  EXPECT_EQ(queue.TakeNext(), Key(1));
  EXPECT_EQ(queue.TakeNext(), Key(3));
  EXPECT_EQ(queue.TakeNext(), std::nullopt);
  queue.Ended(TRAINING);
  EXPECT_EQ(queue.TakeNext(), Key(2));
}

TEST(StartQueue, LetsRunningAttemptsGoOnWhenTheLimitIsLowered) {
  StartQueue queue;
  queue.SetLimits(MakeLimits(0, 2));
  for (uint64_t job = 1; job <= 3; ++job) queue.Add(Key(job), INFERENCE, job);
  queue.TakeNext();
  queue.TakeNext();
  queue.SetLimits(MakeLimits(0, 1));
  queue.Ended(INFERENCE);
  EXPECT_EQ(queue.TakeNext(), std::nullopt);
  queue.Ended(INFERENCE);
  EXPECT_EQ(queue.TakeNext(), Key(3));
}

TEST(StartQueue, GivesUpHeldAttemptsButNotStartedOnes) {
  StartQueue queue;
  queue.SetLimits(MakeLimits(0, 1));
  queue.Add(Key(1), INFERENCE, 1);
  queue.Add(Key(2), INFERENCE, 2);
  EXPECT_EQ(queue.TakeNext(), Key(1));
  EXPECT_FALSE(queue.Remove(Key(1)));
  EXPECT_TRUE(queue.Remove(Key(2)));
  EXPECT_FALSE(queue.Remove(Key(2)));
  queue.Ended(INFERENCE);
  EXPECT_EQ(queue.TakeNext(), std::nullopt);
}

}  // namespace
}  // namespace switchyard::worker
