// With real processes: /bin/sh stands for the daemons.
#include "cli/up/supervisor.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace switchyard::cli {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class SupervisorTest : public testing::Test {
 protected:
  SupervisorTest() : scratch_(absl::StrCat(testing::TempDir(), "/supervisor.", getpid())) {
    fs::remove_all(scratch_);
    fs::create_directories(scratch_);
  }
  ~SupervisorTest() override { fs::remove_all(scratch_); }
  Service Shell(const std::string& name, const std::string& script, int stage = 0) const {
    return {name,
            {"/bin/sh", "-c", script},
            absl::StrCat(scratch_, "/", name, ".log"),
            stage,
            absl::Seconds(5)};
  }
  std::string Path(const std::string& name) const { return scratch_ + "/" + name; }
  std::string Read(const std::string& name) const {
    std::ifstream in(Path(name));
    return std::string(std::istreambuf_iterator<char>(in), {});
  }
  std::function<bool()> Contains(const std::string& name, const std::string& text) const {
    return [=, this] { return Read(name).find(text) != std::string::npos; };
  }

  const std::string scratch_;
  std::vector<std::string> notices_;
  int asked_ = -1;
  Supervisor supervisor_{[this] {
                           int ends[2];
                           EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
                           asked_ = ends[1];
                           return ends[0];
                         }(),
                         [this](const std::string& notice) { notices_.push_back(notice); }};

  absl::Status Until(const std::function<bool()>& done, bool restart) {
    return supervisor_.RunUntil(done, absl::Seconds(20), absl::Milliseconds(2), restart);
  }
};

TEST_F(SupervisorTest, WritesDownWhatAProcessSays) {
  ASSERT_TRUE(supervisor_.Start(Shell("talker", "echo out; echo err >&2; sleep 60")).ok());
  EXPECT_TRUE(Until(Contains("talker.log", "err"), false).ok());
  EXPECT_EQ(Read("talker.log"), "out\nerr\n");
}

TEST_F(SupervisorTest, AnEndAtTheStartIsAnErrorWithTheLogsLastLines) {
  ASSERT_TRUE(supervisor_.Start(Shell("broken", "echo 'the port is taken'; exit 3")).ok());
  const absl::Status status = Until([] { return false; }, false);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("exit code 3"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("the port is taken"));
}

TEST_F(SupervisorTest, StartsACrashedProcessAgain) {
  const std::string script = absl::StrCat("echo start >> ", Path("starts"), "; kill -9 $$");
  ASSERT_TRUE(supervisor_.Start(Shell("crasher", script)).ok());
  EXPECT_TRUE(Until(Contains("starts", "start\nstart\nstart\n"), true).ok());
  ASSERT_GE(notices_.size(), 2u);
  EXPECT_THAT(notices_[0], HasSubstr("signal 9"));
  EXPECT_THAT(notices_[0], HasSubstr("100 ms"));
  EXPECT_THAT(notices_[1], HasSubstr("200 ms"));
}

TEST_F(SupervisorTest, StopsStageByStage) {
  const auto script = [&](const std::string& name) {
    return absl::StrCat("trap 'echo ", name, " >> ", Path("ends"),
                        "; exit 0' TERM; echo up; while :; do sleep 0.02; done");
  };
  ASSERT_TRUE(supervisor_.Start(Shell("last", script("last"), 2)).ok());
  ASSERT_TRUE(supervisor_.Start(Shell("first", script("first"), 0)).ok());
  ASSERT_TRUE(Until(Contains("last.log", "up"), false).ok());
  ASSERT_TRUE(Until(Contains("first.log", "up"), false).ok());
  supervisor_.Stop();
  EXPECT_EQ(Read("ends"), "first\nlast\n");
}

TEST_F(SupervisorTest, KillsWhatDoesNotEnd) {
  Service stubborn = Shell("stubborn", "trap '' TERM; echo up; while :; do sleep 0.02; done");
  stubborn.stop_timeout = absl::Milliseconds(100);
  ASSERT_TRUE(supervisor_.Start(stubborn).ok());
  ASSERT_TRUE(Until(Contains("stubborn.log", "up"), false).ok());
  supervisor_.Stop();
  ASSERT_EQ(notices_.size(), 1u);
  EXPECT_THAT(notices_[0], HasSubstr("killed"));
}

TEST_F(SupervisorTest, IsTakenBackByTheStopDescriptor) {
  ASSERT_EQ(write(asked_, "x", 1), 1);
  EXPECT_EQ(Until([] { return false; }, true).code(), absl::StatusCode::kCancelled);
}

TEST_F(SupervisorTest, SaysThatAProgramIsMissing) {
  EXPECT_EQ(
      supervisor_.Start({"ghost", {"/no/such/program"}, Path("ghost.log"), 0, absl::Seconds(1)})
          .code(),
      absl::StatusCode::kNotFound);
}

// A child whose parent is killed dies too, whatever it does with SIGTERM.
TEST_F(SupervisorTest, ChildrenDieWithTheirParent) {
  const pid_t parent = fork();
  if (parent == 0) {
    auto child =
        ChildProcess::Start({"/bin/sh", "-c", "trap '' TERM; while :; do sleep 0.02; done"});
    std::ofstream(Path("pid")) << (*child)->pid() << std::endl;
    kill(getpid(), SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(waitpid(parent, &status, 0), parent);
  const std::string pid = Read("pid");
  ASSERT_FALSE(pid.empty());
  // Gone, or a zombie that init has not collected yet.
  EXPECT_TRUE(Until(
                  [&] {
                    std::ifstream stat("/proc/" + pid.substr(0, pid.size() - 1) + "/stat");
                    std::string number, name, state;
                    return !(stat >> number >> name >> state) || state == "Z";
                  },
                  true)
                  .ok());
}

}  // namespace
}  // namespace switchyard::cli
