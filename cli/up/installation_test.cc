#include "cli/up/installation.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "cli/up/free_port.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace switchyard::cli {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr uint64_t kGiB = 1ull << 30;

TEST(PlanWorkers, OneCpuWorkerKeepsItsOwnDefaults) {
  const auto plans = PlanWorkers({"cpu:1"}, 4, 8 * kGiB, 0).value();
  ASSERT_EQ(plans.size(), 1u);
  EXPECT_EQ(plans[0].id, "cpu-0");
  EXPECT_EQ(plans[0].threads, 0u);
}

TEST(PlanWorkers, SeveralCpuWorkersGetEqualSlices) {
  const auto plans = PlanWorkers({"cpu:4"}, 9, 8 * kGiB, 0).value();
  ASSERT_EQ(plans.size(), 4u);
  for (const WorkerPlan& plan : plans) {
    EXPECT_EQ(plan.threads, 2u);
    EXPECT_EQ(plan.memory_bytes, 2 * kGiB);
  }
  EXPECT_NE(plans[0].id, plans[3].id);
}

TEST(PlanWorkers, WithoutAWordEveryGpuGetsOne) {
  const auto plans = PlanWorkers({}, 4, kGiB, 2).value();
  ASSERT_EQ(plans.size(), 3u);
  EXPECT_EQ(plans[2].device, "cuda:1");
}

TEST(PlanWorkers, NamesWhatItDoesNotUnderstand) {
  for (const std::vector<std::string>& bad : {std::vector<std::string>{"gpu:1"},
                                              {"cpu:x"},
                                              {"cpu:0"},
                                              {"cpu:5"},
                                              {"cpu:1", "cpu:1"},
                                              {"cuda:0", "cuda:0"}}) {
    EXPECT_EQ(PlanWorkers(bad, 4, kGiB, 0).status().code(), absl::StatusCode::kInvalidArgument)
        << bad[0];
  }
}

TEST(FreePort, FindsAFreeOneAndSeesATakenOne) {
  const std::string address = FreeLoopbackAddress("127.0.0.1:0").value();
  EXPECT_FALSE(absl::StrCat(address).ends_with(":0"));
  EXPECT_EQ(FreeLoopbackAddress(address).value(), address);
}

class InstallationTest : public testing::Test {
 protected:
  InstallationTest() {
    options_.data = absl::StrCat(testing::TempDir(), "/installation.", getpid());
    options_.program = "/opt/bin";
    options_.http = "127.0.0.1:0";
    options_.grpc = "127.0.0.1:0";
    options_.workers = {"cpu:1"};
    fs::remove_all(options_.data);
  }
  ~InstallationTest() override { fs::remove_all(options_.data); }
  std::string Read(const std::string& name) const {
    std::ifstream in(options_.data + "/" + name);
    return std::string(std::istreambuf_iterator<char>(in), {});
  }

  UpOptions options_;
};

TEST_F(InstallationTest, WritesAConfigForEachProcess) {
  options_.allow_noop = true;
  const auto installation = Installation::Prepare(options_);
  ASSERT_TRUE(installation.ok()) << installation.status();
  EXPECT_THAT(Read("conf/scheduler.textproto"), HasSubstr("allow_noop: true"));
  EXPECT_THAT(Read("conf/gateway.textproto"), HasSubstr("http_listen: \"" + installation->http()));
  EXPECT_THAT(Read("conf/worker-cpu-0.textproto"),
              HasSubstr("runner: \"/opt/bin/switchyard-runner\""));
}

TEST_F(InstallationTest, KeepsItsTokenToItselfAndForGood) {
  ASSERT_TRUE(Installation::Prepare(options_).ok());
  const std::string token = Read("operator.token");
  EXPECT_EQ(token.size(), 65u);
  struct stat info {};
  ASSERT_EQ(stat((options_.data + "/operator.token").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  ASSERT_TRUE(Installation::Prepare(options_).ok());
  EXPECT_EQ(Read("operator.token"), token);
}

TEST_F(InstallationTest, UsesPortsBetweenProcessesWhenSocketPathsWouldBeTooLong) {
  options_.data += "/" + std::string(120, 'x');
  ASSERT_TRUE(Installation::Prepare(options_).ok());
  EXPECT_THAT(Read("conf/scheduler.textproto"), HasSubstr("listen: \"127.0.0.1:"));
}

TEST_F(InstallationTest, SaysWhichDataRootIsNotThere) {
  options_.data_roots = {"/no/such/folder"};
  EXPECT_THAT(std::string(Installation::Prepare(options_).status().message()),
              HasSubstr("/no/such/folder"));
}

TEST_F(InstallationTest, RefusesAddressesThatStrangersReach) {
  options_.http = "0.0.0.0:0";
  EXPECT_EQ(Installation::Prepare(options_).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace switchyard::cli
