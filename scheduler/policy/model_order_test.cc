#include "scheduler/policy/model_order.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace switchyard::scheduler {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(ModelOrder, StagesOfOneModelStandTogether) {
  const std::vector<ModelStage> stages = {{"a", {}}, {"b", {}}, {"a", {}}, {"b", {}}};
  EXPECT_THAT(OrderForFewestSwaps(stages), ElementsAre(0, 2, 1, 3));
  EXPECT_EQ(CountSwaps(stages, {0, 1, 2, 3}), 3u);
  EXPECT_EQ(CountSwaps(stages, OrderForFewestSwaps(stages)), 1u);
}

TEST(ModelOrder, AStageNeverComesBeforeWhatItFollows) {
  const std::vector<ModelStage> stages = {{"b", {1}}, {"a", {}}, {"b", {}}, {"a", {2}}};
  const std::vector<int> order = OrderForFewestSwaps(stages);
  const auto place = [&](int stage) { return std::find(order.begin(), order.end(), stage); };
  EXPECT_LT(place(1), place(0));
  EXPECT_LT(place(2), place(3));
}

TEST(ModelOrder, AStageWithoutModelIsTakenWhenItMayLetMoreOfTheSameBegin) {
  // a, then (none -> a) and b: the stage without model comes before b, so that a stays.
  const std::vector<ModelStage> stages = {{"a", {}}, {"b", {0}}, {"", {0}}, {"a", {2}}};
  EXPECT_THAT(OrderForFewestSwaps(stages), ElementsAre(0, 2, 3, 1));
}

TEST(ModelOrder, ADiamondOfTwoModelsSwapsOnce) {
  const std::vector<ModelStage> stages = {{"a", {}}, {"b", {0}}, {"a", {0}}, {"b", {1, 2}}};
  EXPECT_EQ(CountSwaps(stages, OrderForFewestSwaps(stages)), 1u);
}

TEST(ModelOrder, NothingIsNothing) { EXPECT_THAT(OrderForFewestSwaps({}), IsEmpty()); }

// Every graph of five stages over three models with edges to smaller numbers.
TEST(ModelOrder, IsNeverWorseThanTheOrderAsGiven) {
  for (uint32_t bits = 0; bits < 243 * 1024; bits += 7) {
    std::vector<ModelStage> stages(5);
    uint32_t models = bits % 243;
    uint32_t edges = bits / 243;
    for (int i = 0; i < 5; ++i, models /= 3) stages[i].model = std::string(1, 'a' + models % 3);
    for (int i = 1; i < 5; ++i) {
      for (int j = 0; j < i; ++j, edges >>= 1) {
        if ((edges & 1) != 0) stages[i].after.push_back(j);
      }
    }
    const std::vector<int> order = OrderForFewestSwaps(stages);
    ASSERT_LE(CountSwaps(stages, order), CountSwaps(stages, {0, 1, 2, 3, 4})) << bits;
  }
}

}  // namespace
}  // namespace switchyard::scheduler
