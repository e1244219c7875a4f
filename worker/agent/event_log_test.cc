#include "worker/agent/event_log.h"

#include <vector>

#include "gmock/gmock.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "google/protobuf/util/delimited_message_util.h"
#include "gtest/gtest.h"

namespace switchyard::worker {
namespace {

using ::switchyard::v1::JobEvent;
using ::switchyard::worker::v1::AttemptEvents;
using ::testing::HasSubstr;

AttemptEvents Lines(std::vector<std::string> lines) {
  AttemptEvents events;
  for (auto& line : lines) events.add_events()->mutable_log()->set_text(std::move(line));
  return events;
}

std::vector<JobEvent> Read(const std::string& segment) {
  google::protobuf::io::ArrayInputStream in(segment.data(), static_cast<int>(segment.size()));
  std::vector<JobEvent> events;
  JobEvent event;
  bool end = false;
  while (google::protobuf::util::ParseDelimitedFromZeroCopyStream(&event, &in, &end)) {
    events.push_back(event);
    event.Clear();
  }
  EXPECT_TRUE(end);
  return events;
}

TEST(EventLog, NumbersEventsOfAnAttemptFromOne) {
  EventLog log(3);
  AttemptEvents first = Lines({"a", "b"});
  AttemptEvents second = Lines({"c"});
  log.Append(&first);
  log.Append(&second);
  EXPECT_EQ(first.first_sequence(), 1u);
  EXPECT_EQ(second.first_sequence(), 3u);
  EXPECT_EQ(first.events(0).id(), "");
}

TEST(EventLog, ItsSegmentIsDelimitedEventsWithIds) {
  EventLog log(3);
  AttemptEvents events = Lines({"a", "b"});
  log.Append(&events);
  const std::vector<JobEvent> read = Read(log.Segment());
  ASSERT_EQ(read.size(), 2u);
  EXPECT_EQ(read[0].id(), "0.3.1");
  EXPECT_EQ(read[1].id(), "0.3.2");
  EXPECT_EQ(read[1].log().text(), "b");
}

TEST(EventLog, CountsProgressButKeepsNone) {
  EventLog log(1);
  AttemptEvents events;
  events.add_events()->mutable_progress()->set_fraction(0.5);
  log.Append(&events);
  EXPECT_TRUE(log.empty());
  AttemptEvents line = Lines({"a"});
  log.Append(&line);
  EXPECT_EQ(line.first_sequence(), 2u);
}

TEST(EventLog, DropsTheOldestOverItsLimitAndSaysSo) {
  EventLog log(1, 10'000);
  for (int i = 0; i < 100; ++i) {
    AttemptEvents events = Lines({std::string(1000, 'x')});
    log.Append(&events);
  }
  EXPECT_LE(log.Segment().size(), 10'200u);
  const std::vector<JobEvent> read = Read(log.Segment());
  ASSERT_GT(read.size(), 5u);
  EXPECT_THAT(read[0].gap().reason(), HasSubstr("over its limit"));
  EXPECT_EQ(read.back().id(), "0.1.100");
}

TEST(EventLog, ItsTailIsAnUnbrokenRun) {
  EventLog log(1);
  AttemptEvents events = Lines({"a"});
  events.add_events()->mutable_progress()->set_fraction(0.5);
  events.add_events()->mutable_log()->set_text("c");
  events.add_events()->mutable_log()->set_text("d");
  log.Append(&events);
  const AttemptEvents tail = log.Tail();
  EXPECT_EQ(tail.first_sequence(), 3u);
  ASSERT_EQ(tail.events_size(), 2);
  EXPECT_EQ(tail.events(0).log().text(), "c");
}

}  // namespace
}  // namespace switchyard::worker
