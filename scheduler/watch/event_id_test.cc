#include "scheduler/watch/event_id.h"

#include "gtest/gtest.h"

namespace switchyard::scheduler {
namespace {

TEST(EventId, ComesBackAsItWasGiven) {
  const auto position = ParseEventId(FormatEventId({.changes = 4, .attempt = 2, .sequence = 91}));
  ASSERT_TRUE(position.has_value());
  EXPECT_EQ(position->changes, 4u);
  EXPECT_EQ(position->attempt, 2u);
  EXPECT_EQ(position->sequence, 91u);
}

TEST(EventId, TheEmptyIdIsTheBeginning) { EXPECT_EQ(FormatEventId(*ParseEventId("")), "0.0.0"); }

TEST(EventId, RefusesWhatWasNeverGiven) {
  for (const char* bad :
       {"1", "1.2", "1.2.3.4", "a.b.c", "1.2.-3", "01.2.3", " 1.2.3", "1.2.99999999999999999999"}) {
    EXPECT_FALSE(ParseEventId(bad).has_value()) << bad;
  }
}

TEST(EventId, APositionSeesWhatLiesAtOrBelowIt) {
  const EventPosition position{.changes = 2, .attempt = 2, .sequence = 5};
  EXPECT_TRUE(position.SeesChange(2));
  EXPECT_FALSE(position.SeesChange(3));
  EXPECT_TRUE(position.SeesEvent(1, 1000));
  EXPECT_TRUE(position.SeesEvent(2, 5));
  EXPECT_FALSE(position.SeesEvent(2, 6));
  EXPECT_FALSE(position.SeesEvent(3, 1));
}

}  // namespace
}  // namespace switchyard::scheduler
