#include "scheduler/policy/serving_budget.h"

#include <gtest/gtest.h>

namespace switchyard::scheduler {
namespace {

TEST(ServingTarget, IsAShareOfTheDevice) {
  EXPECT_EQ(ServingTarget(1000, 30), 300);
  EXPECT_EQ(ServingTarget(0, 30), 0);
}

TEST(ShrunkBudget, GivesUpWhatIsMissingAndNoMore) {
  EXPECT_EQ(ShrunkBudget({.need_bytes = 70, .free_bytes = 40, .budget_bytes = 50}), 20);
  EXPECT_EQ(ShrunkBudget({.need_bytes = 70, .free_bytes = -10, .budget_bytes = 80}), 0);
}

TEST(ShrunkBudget, AsksNothingThatDoesNotHelp) {
  EXPECT_EQ(ShrunkBudget({.need_bytes = 70, .free_bytes = 70, .budget_bytes = 50}), -1);
  EXPECT_EQ(ShrunkBudget({.need_bytes = 70, .free_bytes = 10, .budget_bytes = 50}), -1);
  EXPECT_EQ(
      ShrunkBudget({.need_bytes = 70, .free_bytes = 40, .budget_bytes = 50, .busy_bytes = 21}), -1);
}

}  // namespace
}  // namespace switchyard::scheduler
