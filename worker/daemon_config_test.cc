#include "worker/daemon_config.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace switchyard::worker {
namespace {

using ::switchyard::config::v1::WorkerConfig;
using ::testing::AllOf;
using ::testing::HasSubstr;

WorkerConfig Minimal() {
  WorkerConfig config;
  config.set_data_dir("/data");
  config.set_artifact_dir("/artifacts");
  config.add_scheduler("127.0.0.1:7001");
  return config;
}

TEST(CompleteConfig, FillsInWhatIsNotSet) {
  WorkerConfig config = Minimal();
  ASSERT_TRUE(CompleteConfig("host", "/opt/bin/switchyard-worker", &config).ok());
  EXPECT_EQ(config.device(), "cpu");
  EXPECT_EQ(config.id(), "host-cpu");
  EXPECT_EQ(config.runner(), "/opt/bin/switchyard-runner");
  EXPECT_EQ(config.drain_seconds(), 20u);
}

TEST(CompleteConfig, NamesEveryFaultAtOnce) {
  WorkerConfig config;
  config.set_admin_listen("0.0.0.0:9000");
  config.add_data_roots("relative/path");
  const absl::Status status = CompleteConfig("host", "/opt/bin/switchyard-worker", &config);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("data_dir"), HasSubstr("artifact_dir"), HasSubstr("scheduler"),
                    HasSubstr("admin_listen"), HasSubstr("relative/path")));
}

}  // namespace
}  // namespace switchyard::worker
