#include "worker/agent/lease_keeper.h"

#include "common/clock/clock.h"
#include "gtest/gtest.h"

namespace switchyard::worker {
namespace {

constexpr absl::Duration kLease = absl::Seconds(30);

class LeaseKeeperTest : public ::testing::Test {
 protected:
  absl::Duration Now() { return clock_.BootTime(); }
  FakeClock clock_;
  LeaseKeeper keeper_;
};

TEST_F(LeaseKeeperTest, HasExpiredBeforeTheFirstWelcome) { EXPECT_TRUE(keeper_.Expired(Now())); }

TEST_F(LeaseKeeperTest, CountsTheFirstLeaseFromTheHello) {
  const absl::Duration hello = Now();
  keeper_.OnHelloSent(hello);
  clock_.Advance(absl::Seconds(2));
  keeper_.OnWelcome(kLease);
  EXPECT_EQ(keeper_.expiry(), hello + kLease);
}

TEST_F(LeaseKeeperTest, RenewsFromTheSendTimeOfTheAcknowledgedHeartbeat) {
  keeper_.OnHelloSent(Now());
  keeper_.OnWelcome(kLease);
  clock_.Advance(absl::Seconds(5));
  const absl::Duration first = Now();
  const uint64_t sequence = keeper_.OnHeartbeatSent(first);
  clock_.Advance(absl::Seconds(5));
  keeper_.OnHeartbeatSent(Now());
  EXPECT_TRUE(keeper_.OnAcknowledged(sequence));
  EXPECT_EQ(keeper_.expiry(), first + kLease);
  EXPECT_FALSE(keeper_.OnAcknowledged(sequence));
}

TEST_F(LeaseKeeperTest, ALaterAcknowledgementCoversEarlierHeartbeats) {
  keeper_.OnHelloSent(Now());
  keeper_.OnWelcome(kLease);
  keeper_.OnHeartbeatSent(Now() + absl::Seconds(5));
  const uint64_t second = keeper_.OnHeartbeatSent(Now() + absl::Seconds(10));
  EXPECT_TRUE(keeper_.OnAcknowledged(second));
  EXPECT_EQ(keeper_.expiry(), Now() + absl::Seconds(10) + kLease);
}

TEST_F(LeaseKeeperTest, IgnoresAcknowledgementsOfHeartbeatsNeverSent) {
  keeper_.OnHelloSent(Now());
  keeper_.OnWelcome(kLease);
  keeper_.OnHeartbeatSent(Now() + absl::Seconds(5));
  EXPECT_FALSE(keeper_.OnAcknowledged(77));
  EXPECT_EQ(keeper_.expiry(), Now() + kLease);
}

TEST_F(LeaseKeeperTest, AHeartbeatOfAnEarlierStreamRenewsNothing) {
  keeper_.OnHelloSent(Now());
  keeper_.OnWelcome(kLease);
  const uint64_t lost = keeper_.OnHeartbeatSent(Now());
  clock_.Advance(absl::Seconds(20));
  keeper_.OnHelloSent(Now());
  EXPECT_FALSE(keeper_.OnAcknowledged(lost - 1));
  keeper_.OnWelcome(kLease);
  EXPECT_EQ(keeper_.expiry(), Now() + kLease);
}

TEST_F(LeaseKeeperTest, ExpiresExactlyAtItsEnd) {
  keeper_.OnHelloSent(Now());
  keeper_.OnWelcome(kLease);
  clock_.Advance(kLease - absl::Nanoseconds(1));
  EXPECT_FALSE(keeper_.Expired(Now()));
  clock_.Advance(absl::Nanoseconds(1));
  EXPECT_TRUE(keeper_.Expired(Now()));
}

}  // namespace
}  // namespace switchyard::worker
