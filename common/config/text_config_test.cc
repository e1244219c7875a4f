#include "common/config/text_config.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "switchyard/config/v1/scheduler.pb.h"

namespace switchyard {
namespace {

using ::testing::HasSubstr;

TEST(TextConfig, ReadsFields) {
  config::v1::SchedulerConfig config;
  ASSERT_TRUE(ParseTextConfig("data_dir: '/tmp/x' lease { seconds: 5 }", "f", &config).ok());
  EXPECT_EQ(config.data_dir(), "/tmp/x");
  EXPECT_EQ(config.lease().seconds(), 5);
}

TEST(TextConfig, NamesAnUnknownFieldWithItsLine) {
  config::v1::SchedulerConfig config;
  const absl::Status status =
      ParseTextConfig("data_dir: 'x'\nlisten_on: 'y'", "sched.conf", &config);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("sched.conf:2:"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("listen_on"));
}

TEST(TextConfig, NamesAMissingFile) {
  config::v1::SchedulerConfig config;
  const absl::Status status = LoadTextConfig("/no/such/file", &config);
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()), HasSubstr("/no/such/file"));
}

}  // namespace
}  // namespace switchyard
