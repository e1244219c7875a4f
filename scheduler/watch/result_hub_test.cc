#include "scheduler/watch/result_hub.h"

#include "gtest/gtest.h"

namespace switchyard::scheduler {
namespace {

JobUpdate Row(JobId id, size_t bytes = 10) {
  JobUpdate row;
  row.id = id;
  row.record = std::string(bytes, 'r');
  return row;
}

class ResultHubTest : public ::testing::Test {
 protected:
  std::shared_ptr<ResultHub::Subscription> Subscribe(const char* tenant) {
    return hub_.Subscribe(tenant, [this] { ++wakes_; });
  }

  ResultHub hub_{{.batch_bytes = 10'000, .buffered_bytes = 50'000}};
  int wakes_ = 0;
};

TEST_F(ResultHubTest, OneDrainIsOneBatchAndOneWake) {
  const auto watcher = Subscribe("a");
  EXPECT_EQ(watcher->Next(), nullptr);
  hub_.Ended("a", Row(1));
  hub_.Ended("a", Row(2));
  EXPECT_EQ(wakes_, 0);
  hub_.Flush();
  EXPECT_EQ(wakes_, 1);
  EXPECT_EQ(watcher->Next()->size(), 2u);
  EXPECT_EQ(watcher->Next(), nullptr);
}

TEST_F(ResultHubTest, ATenantSeesItsOwnJobsOnly) {
  const auto watcher = Subscribe("a");
  hub_.Ended("b", Row(1));
  hub_.Flush();
  EXPECT_EQ(watcher->Next(), nullptr);
}

TEST_F(ResultHubTest, ALargeDrainIsSplit) {
  const auto watcher = Subscribe("a");
  for (JobId id = 1; id <= 4; ++id) hub_.Ended("a", Row(id, 6000));
  hub_.Flush();
  EXPECT_EQ(watcher->Next()->size(), 2u);
  EXPECT_EQ(watcher->Next()->size(), 2u);
}

TEST_F(ResultHubTest, ASlowReaderIsCutOffAndOthersAreNot) {
  const auto slow = Subscribe("a");
  const auto quick = Subscribe("a");
  for (JobId id = 1; id <= 10; ++id) {
    hub_.Ended("a", Row(id, 9000));
    hub_.Flush();
    EXPECT_NE(quick->Next(), nullptr);
  }
  EXPECT_EQ(slow->Next(), nullptr);
  EXPECT_EQ(slow->status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(quick->status().ok());
}

TEST_F(ResultHubTest, ARebuildEndsEveryWatch) {
  const auto watcher = Subscribe("a");
  watcher->Next();
  hub_.Rebuilt();
  EXPECT_EQ(wakes_, 1);
  EXPECT_EQ(watcher->status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(ResultHubTest, WhoHasGoneIsForgotten) {
  Subscribe("a").reset();
  hub_.Ended("a", Row(1));
  hub_.Flush();
  EXPECT_EQ(wakes_, 0);
}

}  // namespace
}  // namespace switchyard::scheduler
