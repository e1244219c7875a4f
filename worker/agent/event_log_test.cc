#include "worker/agent/event_log.h"

#include <vector>

#include "gmock/gmock.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "google/protobuf/util/delimited_message_util.h"
#include "gtest/gtest.h"

namespace switchyard::worker {
namespace {

using ::switchyard::v1::JobEvent;
using ::switchyard::v1::OutputArtifact;
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

// A store that keeps segments by the name it gives them.
class Segments {
 public:
  // Stores what the log wants stored.
  void Take(EventLog& log) {
    std::vector<OutputArtifact> artifacts;
    for (const std::string& segment : log.TakeSegments()) {
      artifacts.emplace_back().set_sha256(std::to_string(stored_.size()));
      stored_.push_back(segment);
      written_bytes += segment.size();
    }
    log.Stored(std::move(artifacts));
  }
  // All events of the log's segments, in order.
  std::vector<JobEvent> Read(const EventLog& log) const {
    std::vector<JobEvent> events;
    for (const OutputArtifact& artifact : log.Artifacts()) {
      for (JobEvent& event : worker::Read(stored_[std::stoul(artifact.sha256())])) {
        events.push_back(std::move(event));
      }
    }
    return events;
  }
  size_t written_bytes = 0;

 private:
  std::vector<std::string> stored_;
};

TEST(EventLog, ItsSegmentIsDelimitedEventsWithIds) {
  EventLog log(3);
  AttemptEvents events = Lines({"a", "b"});
  log.Append(&events);
  EXPECT_FALSE(log.stored());
  Segments segments;
  segments.Take(log);
  EXPECT_TRUE(log.stored());
  const std::vector<JobEvent> read = segments.Read(log);
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
  EXPECT_TRUE(log.stored());
  AttemptEvents line = Lines({"a"});
  log.Append(&line);
  EXPECT_EQ(line.first_sequence(), 2u);
}

// Ten hours of a line a second, stored every five seconds.
TEST(EventLog, HasFewSegmentsHoweverOftenItIsStored) {
  EventLog log(1);
  Segments segments;
  size_t most = 0, bytes = 0;
  for (int i = 0; i < 7200; ++i) {
    AttemptEvents events = Lines({std::string(100, 'a'), std::string(100, 'b')});
    log.Append(&events);
    bytes += log.unstored_bytes();
    segments.Take(log);
    most = std::max(most, log.Artifacts().size());
  }
  EXPECT_LE(most, 20u);
  EXPECT_EQ(segments.Read(log).size(), 14'400u);
  // An event is written again as its segment is merged, a few times only.
  EXPECT_LT(segments.written_bytes, 16 * bytes);
}

TEST(EventLog, TellsAllInOrderWhateverWasMerged) {
  EventLog log(1, 1 << 20, 3000);
  Segments segments;
  for (int i = 1; i <= 200; ++i) {
    AttemptEvents events = Lines({std::string(static_cast<size_t>(i * 37 % 100), 'x')});
    log.Append(&events);
    if (i % 3 == 0) segments.Take(log);
  }
  segments.Take(log);
  const std::vector<JobEvent> read = segments.Read(log);
  ASSERT_EQ(read.size(), 200u);
  for (size_t i = 0; i < read.size(); ++i) EXPECT_EQ(read[i].id(), "0.1." + std::to_string(i + 1));
}

TEST(EventLog, DropsTheOldestOverItsLimitAndSaysSo) {
  EventLog log(1, 10'000, 2'000);
  Segments segments;
  for (int i = 0; i < 100; ++i) {
    AttemptEvents events = Lines({std::string(500, 'x')});
    log.Append(&events);
    segments.Take(log);
  }
  if (!log.stored()) segments.Take(log);
  const std::vector<JobEvent> read = segments.Read(log);
  ASSERT_GT(read.size(), 10u);
  EXPECT_LT(read.size(), 22u);
  EXPECT_THAT(read[0].gap().reason(), HasSubstr("over its limit"));
  EXPECT_EQ(read[0].id(), "0.1." + std::to_string(100 - (read.size() - 1)));
  EXPECT_EQ(read.back().id(), "0.1.100");
}

TEST(EventLog, StoresAgainWhatCouldNotBeStored) {
  EventLog log(1);
  Segments segments;
  AttemptEvents first = Lines({"a"});
  log.Append(&first);
  segments.Take(log);
  AttemptEvents second = Lines({"b"});
  log.Append(&second);
  log.TakeSegments();
  AttemptEvents third = Lines({"c"});
  log.Append(&third);
  log.NotStored();
  EXPECT_FALSE(log.stored());
  EXPECT_EQ(segments.Read(log).size(), 1u);
  segments.Take(log);
  EXPECT_EQ(segments.Read(log).size(), 3u);
}

TEST(EventLog, StaysBoundedWhereNothingCanBeStored) {
  EventLog log(1, 10'000, 2'000);
  for (int i = 0; i < 1000; ++i) {
    AttemptEvents events = Lines({std::string(500, 'x')});
    log.Append(&events);
  }
  EXPECT_LE(log.unstored_bytes(), 20'000u);
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
