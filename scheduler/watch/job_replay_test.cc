#include "scheduler/watch/job_replay.h"

#include <stdlib.h>

#include <filesystem>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "google/protobuf/util/delimited_message_util.h"
#include "gtest/gtest.h"

namespace switchyard::scheduler {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

class JobReplayTest : public ::testing::Test {
 protected:
  JobReplayTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "replay-test-XXXXXX").string();
    directory_ = mkdtemp(pattern.data());
    artifacts_ = *OpenDirectoryStore(directory_);
    image_.id = 1;
    image_.state = JobState::kQueued;
  }
  ~JobReplayTest() override { std::filesystem::remove_all(directory_); }

  void Enter(JobState state, uint32_t attempt) {
    image_.state = state;
    image_.history.push_back({.number = ++image_.change_count, .state = state, .attempt = attempt});
  }

  static v1::JobEvent Line(uint32_t attempt, uint64_t sequence) {
    v1::JobEvent event;
    event.set_id(FormatEventId({.attempt = attempt, .sequence = sequence}));
    event.mutable_log()->set_text("line");
    return event;
  }

  void Store(uint32_t attempt, const std::vector<v1::JobEvent>& events) {
    std::string bytes;
    google::protobuf::io::StringOutputStream out(&bytes);
    for (const v1::JobEvent& event : events) {
      google::protobuf::util::SerializeDelimitedToZeroCopyStream(event, &out);
    }
    // The stream gives back what it did not use when it is taken down; its count is what was
    // written.
    bytes.resize(out.ByteCount());
    image_.outputs.push_back(
        {.name = "events", .sha256 = PutBytes(*artifacts_, bytes)->sha256, .attempt = attempt});
  }

  void StoreSegment(uint32_t attempt, uint64_t first, int count) {
    std::vector<v1::JobEvent> events;
    for (int i = 0; i < count; ++i) events.push_back(Line(attempt, first + i));
    Store(attempt, events);
  }

  std::vector<std::string> Ids(const std::string& from = "") {
    EventPosition position = *ParseEventId(from);
    std::vector<std::string> ids;
    gaps_ = 0;
    for (const v1::JobEvent& event : Replay(image_, *artifacts_, position)) {
      ids.push_back(event.id());
      gaps_ += event.has_gap();
    }
    return ids;
  }

  std::string directory_;
  std::unique_ptr<ArtifactStore> artifacts_;
  JobImage image_;
  int gaps_ = 0;
};

TEST_F(JobReplayTest, EventsStandBetweenTheStatesOfTheirAttempt) {
  Enter(JobState::kQueued, 0);
  Enter(JobState::kRunning, 1);
  StoreSegment(1, 1, 2);
  Enter(JobState::kQueued, 1);
  Enter(JobState::kRunning, 2);
  StoreSegment(2, 1, 1);
  Enter(JobState::kSucceeded, 2);
  EXPECT_THAT(Ids(),
              ElementsAre("1.0.0", "2.0.0", "2.1.1", "2.1.2", "3.1.2", "4.1.2", "4.2.1", "5.2.1"));
}

TEST_F(JobReplayTest, AResumeGoesOnWhereItStopped) {
  Enter(JobState::kQueued, 0);
  Enter(JobState::kRunning, 1);
  StoreSegment(1, 1, 3);
  Enter(JobState::kSucceeded, 1);
  EXPECT_THAT(Ids("2.1.2"), ElementsAre("2.1.3", "3.1.3"));
  EXPECT_THAT(Ids("3.1.3"), SizeIs(0));
}

TEST_F(JobReplayTest, SeveralSegmentsOfAnAttemptFollowEachOther) {
  Enter(JobState::kQueued, 0);
  Enter(JobState::kRunning, 1);
  StoreSegment(1, 1, 2);
  StoreSegment(1, 3, 1);
  Enter(JobState::kSucceeded, 1);
  EXPECT_THAT(Ids(), ElementsAre("1.0.0", "2.0.0", "2.1.1", "2.1.2", "2.1.3", "3.1.3"));
  EXPECT_EQ(gaps_, 0);
}

TEST_F(JobReplayTest, TellsWhatARunningAttemptHasStored) {
  Enter(JobState::kQueued, 0);
  Enter(JobState::kRunning, 1);
  StoreSegment(1, 1, 2);
  EXPECT_THAT(Ids(), ElementsAre("1.0.0", "2.0.0", "2.1.1", "2.1.2"));
  EXPECT_EQ(gaps_, 0);
}

TEST_F(JobReplayTest, SaysWhatALostWorkerTookWithIt) {
  Enter(JobState::kQueued, 0);
  Enter(JobState::kRunning, 1);
  StoreSegment(1, 1, 2);
  image_.attempts.push_back({.number = 1, .outcome = Outcome::kWorkerLost});
  Enter(JobState::kQueued, 1);
  EXPECT_THAT(Ids(), ElementsAre("1.0.0", "2.0.0", "2.1.1", "2.1.2", "2.1.2", "3.1.2"));
  EXPECT_EQ(gaps_, 1);
}

TEST_F(JobReplayTest, SaysThatOldLogsAreNoLongerKept) {
  Enter(JobState::kQueued, 0);
  Enter(JobState::kRunning, 1);
  image_.attempts.push_back({.number = 1, .outcome = Outcome::kFailed});
  Enter(JobState::kQueued, 1);
  Enter(JobState::kRunning, 2);
  for (uint64_t i = 1; i <= kEventSegmentsKept; ++i) StoreSegment(2, i, 1);
  Enter(JobState::kSucceeded, 2);
  EXPECT_EQ(Ids().size(), 5 + 1 + kEventSegmentsKept);
  EXPECT_EQ(gaps_, 1);
}

TEST_F(JobReplayTest, HolesThatProgressLeftAreNoGaps) {
  Enter(JobState::kQueued, 0);
  Enter(JobState::kRunning, 1);
  StoreSegment(1, 2, 1);
  StoreSegment(1, 5, 1);
  Enter(JobState::kSucceeded, 1);
  EXPECT_THAT(Ids(), ElementsAre("1.0.0", "2.0.0", "2.1.2", "2.1.5", "3.1.5"));
  EXPECT_EQ(gaps_, 0);
}

TEST_F(JobReplayTest, WhatTheWorkerDroppedIsTold) {
  Enter(JobState::kQueued, 0);
  Enter(JobState::kRunning, 1);
  v1::JobEvent gap;
  gap.set_id("0.1.4");
  gap.mutable_gap()->set_reason("log over its limit");
  Store(1, {gap, Line(1, 5)});
  Enter(JobState::kSucceeded, 1);
  EXPECT_THAT(Ids(), ElementsAre("1.0.0", "2.0.0", "2.1.4", "2.1.5", "3.1.5"));
  EXPECT_EQ(gaps_, 1);
}

TEST_F(JobReplayTest, ALostWorkersLogIsAGap) {
  Enter(JobState::kQueued, 0);
  Enter(JobState::kRunning, 1);
  image_.attempts.push_back({.number = 1, .outcome = Outcome::kWorkerLost});
  Enter(JobState::kQueued, 1);
  Ids();
  EXPECT_EQ(gaps_, 1);
}

TEST_F(JobReplayTest, AnUnreadableSegmentIsAGapAndTheRestIsTold) {
  Enter(JobState::kQueued, 0);
  Enter(JobState::kRunning, 1);
  image_.outputs.push_back({.name = "events", .sha256 = std::string(64, 'f'), .attempt = 1});
  Enter(JobState::kSucceeded, 1);
  EXPECT_EQ(Ids().back(), "3.0.0");
  EXPECT_EQ(gaps_, 1);
}

TEST_F(JobReplayTest, ALongHistoryBeginsWithAGap) {
  for (int i = 0; i < 3; ++i) Enter(JobState::kQueued, 0);
  image_.history.erase(image_.history.begin());
  EXPECT_THAT(Ids(), ElementsAre("0.0.0", "2.0.0", "3.0.0"));
  EXPECT_EQ(gaps_, 1);
}

}  // namespace
}  // namespace switchyard::scheduler
