#include "scheduler/trace/replay/stored_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "scheduler/engine/core_kinds.h"
#include "scheduler/engine/row_codec.h"
#include "scheduler/store/postgres/postgres_store.h"
#include "scheduler/store/postgres/testing/postgres_server.h"
#include "scheduler/store/sqlite_store.h"
#include "scheduler/trace/run.h"

namespace switchyard::scheduler {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kBegin = 1'700'000'000 * kSecond;
constexpr uint16_t kTrain = 33;

// A training that came, started and ended at these seconds.
JobImage Training(JobId id, int64_t came_s, int64_t started_s, int64_t ended_s,
                  const std::string& tenant) {
  JobImage image;
  image.id = id;
  image.tenant = tenant;
  image.kind = kTrain;
  image.state = JobState::kSucceeded;
  image.create_us = kBegin + came_s * kSecond;
  image.start_us = kBegin + started_s * kSecond;
  image.end_us = kBegin + ended_s * kSecond;
  image.attempt_count = 1;
  image.attempts.push_back({.number = 1,
                            .worker = "gpu-a",
                            .device = "cuda:0",
                            .dispatch_us = image.start_us,
                            .start_us = image.start_us,
                            .end_us = image.end_us,
                            .outcome = Outcome::kSucceeded});
  return image;
}

class StoredLogTest : public testing::Test {
 protected:
  StoredLogTest() { std::filesystem::remove_all(folder_); }
  ~StoredLogTest() override { std::filesystem::remove_all(folder_); }

  void Store(const std::vector<JobImage>& images) {
    Fill(OpenSqliteStore({.directory = folder_ + "/scheduler"}), images);
  }
  static void Fill(const absl::StatusOr<std::unique_ptr<JobStore>>& store,
                   const std::vector<JobImage>& images) {
    ASSERT_TRUE(store.ok()) << store.status();
    const absl::StatusOr<uint64_t> epoch = (*store)->BumpEpoch();
    ASSERT_TRUE(epoch.ok());
    WriteBatch batch;
    for (const JobImage& image : images) {
      JobRow& row = batch.inserts.emplace_back();
      EncodeRow(image, row);
    }
    batch.limits = {{"", "cuda", static_cast<uint32_t>(JobClass::kTraining), 1},
                    {"gpu-a", "", static_cast<uint32_t>(JobClass::kTraining), 7}};
    ASSERT_TRUE((*store)->Commit(*epoch, batch).ok());
  }

  const std::string folder_ = testing::TempDir() + "/stored_log_" +
                              testing::UnitTest::GetInstance()->current_test_info()->name();
};

// Four trainings of a minute on one device, one after the other, though all came at once; one never
// ran.
std::vector<JobImage> OneAfterTheOther() {
  std::vector<JobImage> images;
  for (int i = 0; i < 4; ++i) {
    images.push_back(Training(i + 1, 0, 60 * i, 60 * (i + 1), i % 2 == 0 ? "a" : "b"));
  }
  JobImage waiting = Training(9, 10, 0, 0, "a");
  waiting.state = JobState::kQueued;
  waiting.attempts.clear();
  images.push_back(waiting);
  return images;
}

TEST_F(StoredLogTest, SaysWhatWasAndOnWhat) {
  Store(OneAfterTheOther());
  const absl::StatusOr<JobLog> log = ReadStoredLog(folder_);
  ASSERT_TRUE(log.ok()) << log.status();
  EXPECT_EQ(log->jobs.size(), 4u);
  EXPECT_EQ(log->left_out, 1u);
  EXPECT_THAT(log->tenants, ElementsAre("a", "b"));
  EXPECT_THAT(log->kinds, ElementsAre("train"));
  EXPECT_EQ(log->workers, 1u);
  EXPECT_TRUE(log->gpus);
  EXPECT_THAT(log->limits, ElementsAre(LimitRule{"", "cuda", JobClass::kTraining, 1}));
  EXPECT_EQ(log->jobs[0].duration_us, 60 * kSecond);
  EXPECT_THAT(log->recorded.makespan_s, DoubleNear(240, 1e-6));
  EXPECT_THAT(log->recorded.mean_completion_s, DoubleNear(150, 1e-3));
}

TEST_F(StoredLogTest, ADatabaseSaysTheSameAsAFolder) {
  const auto server = PostgresServer::Start();
  ASSERT_TRUE(server.ok()) << server.status();
  const std::string uri = (*server)->uri();
  Store(OneAfterTheOther());
  Fill(OpenPostgresStore({.uri = uri, .schema = "team_a"}), OneAfterTheOther());
  const absl::StatusOr<JobLog> folder = ReadStoredLog(folder_);
  const absl::StatusOr<JobLog> database = ReadStoredLog(uri + "#team_a");
  ASSERT_TRUE(folder.ok()) << folder.status();
  ASSERT_TRUE(database.ok()) << database.status();
  EXPECT_EQ(database->jobs.size(), 4u);
  EXPECT_EQ(database->left_out, folder->left_out);
  EXPECT_EQ(database->tenants, folder->tenants);
  EXPECT_EQ(database->limits, folder->limits);
  EXPECT_EQ(database->recorded.makespan_s, folder->recorded.makespan_s);
  EXPECT_FALSE(ReadStoredLog(uri + "#nobody").ok());
}

TEST_F(StoredLogTest, RunsAgainUnderOtherLimits) {
  Store(OneAfterTheOther());
  const absl::StatusOr<JobLog> log = ReadStoredLog(folder_ + "/scheduler");
  ASSERT_TRUE(log.ok()) << log.status();
  Cluster cluster;
  cluster.workers = 1;
  cluster.devices_per_worker = 1;
  cluster.kinds = CoreKinds();
  const auto makespan = [&] {
    ListedTrace trace(log->jobs, log->tenants, log->kinds);
    const absl::StatusOr<RunResult> result = RunCore(trace, cluster, {});
    EXPECT_TRUE(result.ok()) << result.status();
    return result->makespan_s;
  };
  EXPECT_THAT(makespan(), DoubleNear(240, 1));
  cluster.limits = {{"", "", JobClass::kTraining, 2}};
  EXPECT_THAT(makespan(), DoubleNear(120, 1));
}

TEST_F(StoredLogTest, AFolderWithoutAStoreIsNamed) {
  const absl::Status missing = ReadStoredLog(folder_).status();
  EXPECT_EQ(missing.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(missing.message()), HasSubstr("switchyard.db"));
}

TEST_F(StoredLogTest, ALogInWhichNothingRanIsRefused) {
  JobImage waiting = Training(1, 0, 0, 0, "a");
  waiting.state = JobState::kQueued;
  waiting.attempts.clear();
  Store({waiting});
  EXPECT_EQ(ReadStoredLog(folder_).status().code(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace switchyard::scheduler
