#include "scheduler/policy/rate_limit.h"

#include "gtest/gtest.h"

namespace switchyard::scheduler {
namespace {

constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kStart = 500 * kSecond;

TEST(RateLimit, NoneLetsEveryCallThrough) {
  TokenBucket bucket;
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(TakeToken(bucket, {}, kStart), 0);
}

TEST(RateLimit, ABurstGoesAtOnceAndTheNextCallIsToldWhenToCome) {
  TokenBucket bucket;
  const RateLimit limit{.per_second = 2, .burst = 3};
  for (int i = 0; i < 3; ++i) EXPECT_EQ(TakeToken(bucket, limit, kStart), 0) << i;
  const int64_t wait_us = TakeToken(bucket, limit, kStart);
  EXPECT_EQ(wait_us, kSecond / 2);
  EXPECT_GT(TakeToken(bucket, limit, kStart + wait_us - 1), 0);
  EXPECT_EQ(TakeToken(bucket, limit, kStart + wait_us), 0);
}

TEST(RateLimit, APauseEarnsNoMoreThanTheBurst) {
  TokenBucket bucket;
  const RateLimit limit{.per_second = 10, .burst = 2};
  for (int i = 0; i < 2; ++i) EXPECT_EQ(TakeToken(bucket, limit, kStart), 0);
  const int64_t later = kStart + 3600 * kSecond;
  for (int i = 0; i < 2; ++i) EXPECT_EQ(TakeToken(bucket, limit, later), 0);
  EXPECT_GT(TakeToken(bucket, limit, later), 0);
}

TEST(RateLimit, OverAnHourNoMoreCallsPassThanTheRateAllows) {
  TokenBucket bucket;
  const RateLimit limit{.per_second = 0.5};
  int passed = 0;
  for (int64_t t = 0; t < 3600 * kSecond; t += kSecond / 4)
    passed += TakeToken(bucket, limit, kStart + t) == 0;
  EXPECT_GE(passed, 1799);
  EXPECT_LE(passed, 1801);
}

TEST(RateLimit, ASmallerLimitCountsAtOnce) {
  TokenBucket bucket;
  EXPECT_EQ(TakeToken(bucket, {.per_second = 100, .burst = 100}, kStart), 0);
  EXPECT_EQ(TakeToken(bucket, {.per_second = 1, .burst = 1}, kStart), 0);
  EXPECT_EQ(TakeToken(bucket, {.per_second = 1, .burst = 1}, kStart), kSecond);
}

TEST(RateLimit, AClockThatStandsStillOrGoesBackEarnsNothing) {
  TokenBucket bucket;
  const RateLimit limit{.per_second = 1, .burst = 1};
  EXPECT_EQ(TakeToken(bucket, limit, kStart), 0);
  EXPECT_EQ(TakeToken(bucket, limit, kStart - 10 * kSecond), kSecond);
  EXPECT_EQ(TakeToken(bucket, limit, kStart), kSecond);
}

}  // namespace
}  // namespace switchyard::scheduler
