#include "scheduler/core/bay_index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace switchyard::scheduler {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

class BayIndexTest : public ::testing::Test {
 protected:
  // Pools of a host, numbered on, all free.
  void AddHost(uint32_t host, int pools) {
    for (int i = 0; i < pools; ++i) {
      bays_.Add(next_, host, family_);
      bays_.SetFree(next_++, true);
    }
  }
  std::vector<uint32_t> Choose(uint32_t count) {
    return bays_.Choose(
        count, [](const BayFamily&) { return true; }, [](uint32_t) { return true; });
  }
  void Busy(uint32_t pool) { bays_.SetFree(pool, false); }

  BayFamily family_{.job_class = JobClass::kTraining, .gpu = true, .kinds = 1};
  BayIndex bays_;
  uint32_t next_ = 0;
};

TEST_F(BayIndexTest, TheHostWithTheFewestThatAreEnoughIsTaken) {
  AddHost(/*host=*/1, /*pools=*/4);  // 0 to 3
  AddHost(/*host=*/2, /*pools=*/2);  // 4, 5
  AddHost(/*host=*/3, /*pools=*/8);
  EXPECT_THAT(Choose(2), UnorderedElementsAre(4, 5));
}

TEST_F(BayIndexTest, WithoutAHostThatHasEnoughTheFewestHostsAreTaken) {
  AddHost(1, 1);  // 0
  AddHost(2, 3);  // 1 to 3
  AddHost(3, 2);  // 4, 5
  EXPECT_THAT(Choose(5), UnorderedElementsAre(1, 2, 3, 4, 5));
}

TEST_F(BayIndexTest, BusyPlacesDoNotCount) {
  AddHost(1, 2);
  AddHost(2, 2);
  Busy(0);
  EXPECT_THAT(Choose(4), IsEmpty());
  EXPECT_THAT(Choose(3), UnorderedElementsAre(1, 2, 3));
  bays_.SetFree(0, true);
  EXPECT_THAT(Choose(4), SizeIs(4));
}

TEST_F(BayIndexTest, RemovedPlacesAreGone) {
  AddHost(1, 3);
  bays_.Remove(0);
  EXPECT_THAT(Choose(3), IsEmpty());
  EXPECT_THAT(Choose(2), UnorderedElementsAre(1, 2));
}

}  // namespace
}  // namespace switchyard::scheduler
