#include "scheduler/watch/event_hub.h"

#include <memory>

#include "gtest/gtest.h"

namespace switchyard::scheduler {
namespace {

constexpr JobId kJob = 42;

std::shared_ptr<const JobImage> Image(JobState state, uint32_t changes) {
  auto image = std::make_shared<JobImage>();
  image->id = kJob;
  image->state = state;
  image->change_count = changes;
  for (uint32_t number = 1; number <= changes; ++number) {
    image->history.push_back(
        {.number = number, .state = number == changes ? state : JobState::kQueued});
  }
  return image;
}

class EventHubTest : public ::testing::Test {
 protected:
  void Change(JobState state, uint32_t changes) {
    hub_.StateChanged(kJob, changes, [&] { return Image(state, changes); });
  }
  void Append(uint32_t attempt, uint64_t first, int count) {
    google::protobuf::RepeatedPtrField<v1::JobEvent> events;
    for (int i = 0; i < count; ++i) events.Add()->mutable_log()->set_text("line");
    hub_.Append(kJob, attempt, first, events);
  }
  std::unique_ptr<EventHub::Subscription> Subscribe() {
    return hub_.Subscribe(kJob, [this] { ++wakes_; });
  }

  EventHub hub_{{.entries = 8, .bytes = 1024}};
  int wakes_ = 0;
};

TEST_F(EventHubTest, AWatcherReadsWhatComesInOrder) {
  const auto watcher = Subscribe();
  EXPECT_EQ(watcher->Next(), nullptr);
  Change(JobState::kQueued, 1);
  Append(1, 1, 2);
  EXPECT_EQ(watcher->Next()->change, 1u);
  EXPECT_EQ(watcher->Next()->sequence, 1u);
  EXPECT_EQ(watcher->Next()->sequence, 2u);
  EXPECT_EQ(watcher->Next(), nullptr);
}

TEST_F(EventHubTest, AWatcherIsWokenOnceForAllItHasNotRead) {
  const auto watcher = Subscribe();
  watcher->Next();
  Append(1, 1, 1);
  Append(1, 2, 1);
  EXPECT_EQ(wakes_, 1);
}

TEST_F(EventHubTest, RepeatedEventsAndChangesAreDropped) {
  const auto watcher = Subscribe();
  Append(1, 1, 3);
  Append(1, 2, 3);
  Change(JobState::kRunning, 2);
  Change(JobState::kRunning, 2);
  for (uint64_t sequence = 1; sequence <= 4; ++sequence)
    EXPECT_EQ(watcher->Next()->sequence, sequence);
  EXPECT_EQ(watcher->Next()->change, 1u);
  EXPECT_EQ(watcher->Next()->change, 2u);
  EXPECT_EQ(watcher->Next(), nullptr);
}

TEST_F(EventHubTest, ASlowWatcherMissesTheOldestAndSeesItInTheNumbers) {
  const auto watcher = Subscribe();
  Append(1, 1, 20);
  EXPECT_EQ(watcher->Next()->sequence, 13u);
}

TEST_F(EventHubTest, WhoComesLaterFindsTheAttemptsEvents) {
  Append(1, 1, 2);
  const auto watcher = Subscribe();
  EXPECT_EQ(watcher->Next()->sequence, 1u);
}

TEST_F(EventHubTest, NothingIsKeptOfAJobThatEndedAndIsNotWatched) {
  Append(1, 1, 2);
  EXPECT_EQ(hub_.channels(), 1u);
  Change(JobState::kSucceeded, 3);
  EXPECT_EQ(hub_.channels(), 0u);
}

TEST_F(EventHubTest, AnEndedJobsLogStaysForThoseWhoStillRead) {
  Append(1, 1, 1);
  auto watcher = Subscribe();
  Change(JobState::kSucceeded, 1);
  EXPECT_EQ(watcher->Next()->sequence, 1u);
  EXPECT_EQ(watcher->Next()->image->state, JobState::kSucceeded);
  watcher.reset();
  EXPECT_EQ(hub_.channels(), 0u);
}

TEST_F(EventHubTest, NobodyPaysForAJobThatIsNotWatched) {
  hub_.StateChanged(kJob, 1, [&]() -> std::shared_ptr<const JobImage> {
    ADD_FAILURE() << "the image was made for nobody";
    return nullptr;
  });
}

TEST_F(EventHubTest, AfterARebuildWatchersReadAgainAndSeeTheNewChanges) {
  const auto watcher = Subscribe();
  Change(JobState::kRunning, 2);
  while (watcher->Next() != nullptr) {
  }
  hub_.Rebuilt();
  EXPECT_EQ(wakes_, 1);
  EXPECT_EQ(watcher->Next()->kind, HubEntry::kReread);
  Change(JobState::kSucceeded, 2);
  EXPECT_EQ(watcher->Next()->change, 1u);
  EXPECT_EQ(watcher->Next()->image->state, JobState::kSucceeded);
}

}  // namespace
}  // namespace switchyard::scheduler
