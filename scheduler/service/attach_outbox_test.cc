#include "scheduler/service/attach_outbox.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace switchyard::scheduler {
namespace {

using ::testing::SizeIs;

SessionOutput Assignments(int count, size_t bytes) {
  SessionOutput output;
  for (int i = 0; i < count; ++i) {
    Assignment& assignment = output.assignments.emplace_back();
    assignment.attempt.ref.job = i + 1;
    assignment.job = std::string(bytes, 'j');
  }
  return output;
}

worker::v1::SchedulerMessage Next(AttachOutbox& outbox) {
  worker::v1::SchedulerMessage message;
  auto pieces = outbox.TakeMessage();
  if (!pieces.empty()) WriteMessage(pieces, LeaseTimes(), &message);
  return message;
}

TEST(AttachOutbox, WhatComesTogetherGoesTogether) {
  AttachOutbox outbox;
  outbox.Add(1, Assignments(2, 10));
  SessionOutput more = Assignments(1, 10);
  more.acknowledgements.emplace_back();
  outbox.Add(1, std::move(more));
  const auto message = Next(outbox);
  EXPECT_THAT(message.delta().assignments(), SizeIs(3));
  EXPECT_THAT(message.delta().acknowledged(), SizeIs(1));
  EXPECT_TRUE(outbox.empty());
}

TEST(AttachOutbox, TheWelcomeGoesAloneAndFirst) {
  AttachOutbox outbox;
  SessionOutput output = Assignments(1, 10);
  output.welcome.emplace();
  outbox.Add(7, std::move(output));
  const auto welcome = Next(outbox);
  EXPECT_TRUE(welcome.has_welcome());
  EXPECT_EQ(welcome.epoch(), 7u);
  EXPECT_THAT(Next(outbox).delta().assignments(), SizeIs(1));
}

TEST(AttachOutbox, LargeAssignmentsAreSpreadOverMessagesInOrder) {
  AttachOutbox outbox;
  outbox.Add(1, Assignments(40, 60'000));
  uint64_t expected = 1;
  int messages = 0;
  while (!outbox.empty()) {
    const auto message = Next(outbox);
    ++messages;
    EXPECT_LT(message.ByteSizeLong(), 2 * AttachOutbox::kMessageBytes);
    for (const auto& assignment : message.delta().assignments())
      EXPECT_EQ(assignment.ref().job(), expected++);
  }
  EXPECT_EQ(expected, 41u);
  EXPECT_GT(messages, 3);
}

TEST(AttachOutbox, EpochsAreNotMixed) {
  AttachOutbox outbox;
  outbox.Add(1, Assignments(1, 10));
  outbox.Add(2, Assignments(1, 10));
  EXPECT_EQ(Next(outbox).epoch(), 1u);
  EXPECT_EQ(Next(outbox).epoch(), 2u);
}

TEST(AttachOutbox, NothingToSayMakesNoMessage) {
  AttachOutbox outbox;
  outbox.Add(1, SessionOutput());
  EXPECT_TRUE(outbox.empty());
}

}  // namespace
}  // namespace switchyard::scheduler
