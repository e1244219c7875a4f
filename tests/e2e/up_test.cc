// `switchyard up` and the command line with the real processes behind them.
#include <signal.h>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "tests/e2e/http_client.h"
#include "tests/e2e/up_fixture.h"

namespace switchyard::e2e {
namespace {

using ::testing::HasSubstr;

const std::string kBinary = SwitchyardBinary();

TEST_F(UpTest, RunsJobsOverBothDoorsAndStopsCleanly) {
  StartUp();
  const Output submitted = Cli("submit '{\"noop\": {\"payload\": \"aGVsbG8=\"}}'");
  EXPECT_EQ(submitted.exit_code, 0) << submitted.text;
  EXPECT_THAT(submitted.text, HasSubstr("SUCCEEDED"));

  const HttpReply created =
      Http(http_, "POST", "/api/v1/jobs", "{\"noop\": {\"payload\": \"aGVsbG8=\"}}");
  ASSERT_EQ(created.status, 201) << created.body;
  const std::string id = JsonText(created.body, "id");
  const Output waited = Cli("wait " + id + " --timeout 20s --json");
  EXPECT_EQ(waited.exit_code, 0) << waited.text;
  EXPECT_THAT(waited.text, HasSubstr("aGVsbG8="));

  EXPECT_THAT(Cli("jobs").text, HasSubstr(id));
  EXPECT_THAT(Cli("devices").text, HasSubstr("cpu-0"));
  EXPECT_EQ(Cli("doctor").exit_code, 0) << Cli("doctor").text;
  StopUp();
}

TEST_F(UpTest, ASecondStartContinuesWhereTheFirstWas) {
  StartUp();
  const Output submitted = Cli("submit '{\"noop\": {}}' --detach");
  ASSERT_EQ(submitted.exit_code, 0) << submitted.text;
  const std::string id = submitted.text.substr(0, submitted.text.find('\n'));
  EXPECT_EQ(Cli("wait " + id + " --timeout 20s").exit_code, 0);
  StopUp();
  StartUp();
  EXPECT_THAT(Cli("show " + id).text, HasSubstr("SUCCEEDED"));
  StopUp();
}

TEST_F(UpTest, ASecondUpOnTheSameFolderIsRefused) {
  StartUp();
  const Output second = RunShell(
      absl::StrCat(kBinary, " up --data ", data(), " --http 127.0.0.1:0 --grpc 127.0.0.1:0"));
  EXPECT_EQ(second.exit_code, 5) << second.text;
  EXPECT_THAT(second.text, HasSubstr(data()));
  EXPECT_THAT(second.text, HasSubstr("in use by another process"));
  EXPECT_EQ(Cli("queue").exit_code, 0);
}

TEST_F(UpTest, APortInUseIsNamed) {
  StartUp();
  const Output second =
      RunShell(absl::StrCat(kBinary, " up --data ", directory_, "/other --http ", http_));
  EXPECT_EQ(second.exit_code, 5) << second.text;
  EXPECT_THAT(second.text, HasSubstr(http_ + " is in use"));
}

TEST_F(UpTest, ACrashedProcessIsStartedAgain) {
  StartUp();
  for (const char* name : {"switchyard-gateway", "switchyard-worker", "switchyard-scheduler"}) {
    const pid_t before = ChildNamed(name);
    ASSERT_GT(before, 0) << name;
    kill(before, SIGKILL);
    EXPECT_TRUE(Eventually([&] {
      const pid_t now = ChildNamed(name);
      return now > 0 && now != before;
    })) << name;
    EXPECT_TRUE(Eventually([&] { return Cli("submit '{\"noop\": {}}'").exit_code == 0; }))
        << name << UpLog();
  }
}

TEST_F(UpTest, AKilledUpLeavesNothingBehindAndStartsAgain) {
  StartUp();
  const pid_t scheduler = ChildNamed("switchyard-scheduler");
  up_->Kill();
  EXPECT_TRUE(
      Eventually([&] { return ReadAll(absl::StrCat("/proc/", scheduler, "/cmdline")).empty(); }));
  StartUp();
  EXPECT_EQ(Cli("submit '{\"noop\": {}}'").exit_code, 0);
}

TEST_F(UpTest, WhatIsWrongNamesItsField) {
  StartUp();
  const Output refused = Cli("submit '{\"priority\": 77, \"noop\": {}}'");
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(refused.text, HasSubstr("job.priority"));
  EXPECT_EQ(Cli("show 0000000000001").exit_code, 4);
}

}  // namespace
}  // namespace switchyard::e2e
