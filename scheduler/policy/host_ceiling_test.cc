#include "scheduler/policy/host_ceiling.h"

#include <gtest/gtest.h>

namespace switchyard::scheduler {
namespace {

TEST(HostBusy, OverEitherCeilingIsBusy) {
  EXPECT_FALSE(HostBusy(false, {100, 100}, {50, 100}));
  EXPECT_TRUE(HostBusy(false, {101, 100}, {50, 100}));
  EXPECT_TRUE(HostBusy(false, {50, 100}, {101, 100}));
}

TEST(HostBusy, StaysSoUntilClearlyBelow) {
  EXPECT_TRUE(HostBusy(true, {95, 100}, {0, 0}));
  EXPECT_FALSE(HostBusy(true, {90, 100}, {0, 0}));
  EXPECT_FALSE(HostBusy(false, {95, 100}, {0, 0}));
}

TEST(HostBusy, WithoutACeilingItNeverIs) {
  EXPECT_FALSE(HostBusy(false, {INT64_MAX, 0}, {INT64_MAX, 0}));
  EXPECT_FALSE(HostBusy(true, {INT64_MAX, 0}, {INT64_MAX, 0}));
}

}  // namespace
}  // namespace switchyard::scheduler
