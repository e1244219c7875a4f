#include "scheduler/policy/serving_budget.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace switchyard::scheduler {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(ServingTarget, IsAShareOfTheDevice) {
  EXPECT_EQ(ServingTarget(1000, 30), 300);
  EXPECT_EQ(ServingTarget(0, 30), 0);
}

TEST(WhatToEvict, IsWhatIsMissingAndNoMore) {
  EXPECT_THAT(WhatToEvict({.need_bytes = 70, .free_bytes = 40, .evictable_bytes = {50}}),
              ElementsAre(30));
  EXPECT_THAT(WhatToEvict({.need_bytes = 70, .free_bytes = -10, .evictable_bytes = {80}}),
              ElementsAre(80));
}

TEST(WhatToEvict, IsNothingWhereThatDoesNotHelp) {
  EXPECT_THAT(WhatToEvict({.need_bytes = 70, .free_bytes = 70, .evictable_bytes = {50}}),
              IsEmpty());
  EXPECT_THAT(WhatToEvict({.need_bytes = 70, .free_bytes = 10, .evictable_bytes = {50}}),
              IsEmpty());
  EXPECT_THAT(WhatToEvict({.need_bytes = 70, .free_bytes = 10}), IsEmpty());
}

TEST(WhatToEvict, OfSeveralRunnersAsksAsFewAsCanBe) {
  EXPECT_THAT(WhatToEvict({.need_bytes = 70, .free_bytes = 30, .evictable_bytes = {10, 50, 20}}),
              ElementsAre(0, 40, 0));
  EXPECT_THAT(WhatToEvict({.need_bytes = 70, .free_bytes = 0, .evictable_bytes = {10, 50, 20}}),
              ElementsAre(0, 50, 20));
}

}  // namespace
}  // namespace switchyard::scheduler
