// `switchyard up` and the command line with the real processes behind them.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/e2e/http_client.h"
#include "tests/e2e/process.h"

namespace switchyard::e2e {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

const std::string kBinary = std::string(SWITCHYARD_BIN) + "/switchyard";

std::string ReadAll(const std::string& path) {
  std::ifstream in(path);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

bool Eventually(const std::function<bool()>& done, double seconds = 20) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  while (!done()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return true;
}

// The text between `"NAME":"` and the next quote.
std::string JsonText(const std::string& json, const std::string& name) {
  const std::string key = absl::StrCat("\"", name, "\":\"");
  const size_t at = json.find(key);
  if (at == std::string::npos) return "";
  return json.substr(at + key.size(), json.find('"', at + key.size()) - at - key.size());
}

struct Output {
  int exit_code;
  std::string text;  // Both outputs.
};

Output RunShell(const std::string& command) {
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  Output output{-1, ""};
  char buffer[4096];
  for (size_t size; (size = fread(buffer, 1, sizeof buffer, pipe)) > 0;)
    output.text.append(buffer, size);
  output.exit_code = WEXITSTATUS(pclose(pipe));
  return output;
}

class UpTest : public testing::Test {
 protected:
  UpTest() {
    char pattern[] = "/tmp/sy-up-XXXXXX";
    directory_ = mkdtemp(pattern);
  }
  ~UpTest() override {
    up_.reset();
    if (HasFailure()) {
      std::fprintf(stderr, "the logs are kept in %s\n", directory_.c_str());
    } else {
      fs::remove_all(directory_);
    }
  }

  std::string data() const { return directory_ + "/data"; }
  std::string UpLog() const { return ReadAll(directory_ + "/up.log"); }

  void StartUp() {
    fs::remove(directory_ + "/up.log");
    up_ = std::make_unique<Process>(
        std::vector<std::string>{kBinary, "up", "--data", data(), "--http", "127.0.0.1:0", "--grpc",
                                 "127.0.0.1:0", "--workers", "cpu:1", "--allow-noop", "--json"},
        directory_ + "/up.log");
    ASSERT_TRUE(Eventually([&] { return !(grpc_ = JsonText(UpLog(), "grpc")).empty(); }, 60))
        << UpLog();
    http_ = JsonText(UpLog(), "http");
  }
  void StopUp() {
    up_->Signal(SIGTERM);
    const int status = up_->Wait(30);
    ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << UpLog();
  }
  Output Cli(const std::string& arguments) const {
    return RunShell(absl::StrCat(kBinary, " --data ", data(), " --server ", grpc_, " ", arguments));
  }
  pid_t ChildNamed(const std::string& name) const {
    for (const pid_t child : ChildrenOf(up_->pid())) {
      if (absl::StrContains(ReadAll(absl::StrCat("/proc/", child, "/cmdline")), name)) return child;
    }
    return -1;
  }

  std::string directory_;
  std::string http_, grpc_;
  std::unique_ptr<Process> up_;
};

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
