// What is read from requests and config, without a server.
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "scheduler/service/config.h"
#include "scheduler/service/job_filter.h"
#include "scheduler/service/page_token.h"
#include "scheduler/service/update_limits.h"

namespace switchyard::scheduler {
namespace {

using ::testing::HasSubstr;

TEST(JobFilter, TermsAreJoinedByAnd) {
  const auto filter = ParseJobFilter(
      "state=RUNNING AND kind = train AND labels.team = \"signal \\\"processing\\\"\"");
  ASSERT_TRUE(filter.ok()) << filter.status();
  v1::Job job;
  job.set_state(v1::Job::RUNNING);
  job.mutable_train();
  EXPECT_FALSE(filter->Matches(job));
  (*job.mutable_labels())["team"] = "signal \"processing\"";
  EXPECT_TRUE(filter->Matches(job));
  job.set_state(v1::Job::QUEUED);
  EXPECT_FALSE(filter->Matches(job));
}

TEST(JobFilter, TheEmptyFilterMatchesAndAContradictionNever) {
  EXPECT_TRUE(ParseJobFilter("  ")->Matches(v1::Job()));
  EXPECT_TRUE(ParseJobFilter("state = FAILED AND state = QUEUED")->nothing);
}

TEST(JobFilter, FaultsSayWhatIsExpected) {
  for (const char* bad :
       {"state", "state =", "state = SLEEPING", "kind = dance", "state = RUNNING OR kind = train",
        "priority = 3", "labels.a = \"open", "state != RUNNING", "= x"}) {
    const auto filter = ParseJobFilter(bad);
    EXPECT_EQ(filter.status().code(), absl::StatusCode::kInvalidArgument) << bad;
    EXPECT_THAT(std::string(filter.status().message()), HasSubstr("are expected")) << bad;
  }
}

TEST(PageToken, HoldsForTheSameArgumentsOnly) {
  const std::string token = MakePageToken("state = FAILED", "position");
  EXPECT_EQ(*ReadPageToken("state = FAILED", token), "position");
  EXPECT_FALSE(ReadPageToken("state = QUEUED", token).ok());
  EXPECT_FALSE(ReadPageToken("state = FAILED", token + "A").ok());
  EXPECT_FALSE(ReadPageToken("", "").ok());
}

TEST(PageToken, SizesAreBounded) {
  EXPECT_EQ(*ReadPageSize(0), 50);
  EXPECT_EQ(*ReadPageSize(7), 7);
  EXPECT_EQ(*ReadPageSize(100'000), 1000);
  EXPECT_FALSE(ReadPageSize(-1).ok());
}

config::v1::SchedulerConfig GoodConfig() {
  config::v1::SchedulerConfig config;
  config.set_data_dir("/var/lib/switchyard");
  config.set_listen("127.0.0.1:7071");
  config.set_worker_listen("127.0.0.1:7072");
  return config;
}

TEST(Config, DefaultsAreThoseOfTheProto) {
  config::v1::SchedulerConfig config = GoodConfig();
  ASSERT_TRUE(CompleteConfig(config).ok());
  EXPECT_EQ(config.artifact_dir(), "/var/lib/switchyard/artifacts");
  EXPECT_EQ(config.lease().seconds(), 30);
  EXPECT_EQ(config.heartbeat_interval().seconds(), 5);
  EXPECT_EQ(config.queue_capacity(), 10'000'000u);
  EXPECT_EQ(config.max_lost_attempts(), 3u);
}

TEST(Config, EveryFaultIsNamedAtOnce) {
  config::v1::SchedulerConfig config;
  config.set_listen("0.0.0.0:7071");
  config.set_worker_listen("nonsense");
  config.mutable_lease()->set_seconds(3600);
  config.set_highest_priority(12);
  const std::string message(CompleteConfig(config).message());
  for (const char* field : {"data_dir", "listen", "worker_listen", "lease", "highest_priority"}) {
    EXPECT_THAT(message, HasSubstr(field));
  }
}

TEST(Config, TheListenersMustDiffer) {
  config::v1::SchedulerConfig config = GoodConfig();
  config.set_worker_listen(config.listen());
  EXPECT_THAT(std::string(CompleteConfig(config).message()), HasSubstr("must differ"));
}

TEST(UpdateLimits, ABadEntryIsNamedAndNothingIsTaken) {
  v1::UpdateLimitsRequest request;
  request.mutable_limits()->add_limits()->set_job_class(v1::TRAINING);
  v1::Limit& bad = *request.mutable_limits()->add_limits();
  bad.set_max_running(10'001);
  bad.set_device("auto");
  const std::string message(ReadUpdateLimits(request).status().message());
  EXPECT_THAT(message, HasSubstr("limits.limits[1].job_class"));
  EXPECT_THAT(message, HasSubstr("limits.limits[1].max_running"));
  EXPECT_THAT(message, HasSubstr("limits.limits[1].device"));
}

}  // namespace
}  // namespace switchyard::scheduler
