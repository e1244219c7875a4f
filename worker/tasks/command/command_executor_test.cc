// Whole attempts through the executor, in a real sandbox.
#include "worker/tasks/command/command_executor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "worker/report/report.h"
#include "worker/tasks/testing/task_fixture.h"

namespace switchyard::worker {
namespace {

using ::switchyard::v1::CommandSpec;
using ::switchyard::worker::v1::Assignment;
using ::testing::HasSubstr;

class CommandTest : public TaskTest {
 protected:
  CommandTest() {
    settings_.sandbox = SWITCHYARD_SANDBOX;
    for (const auto& [name, path] : {std::pair{"probe", SWITCHYARD_PROBE}, {"sh", "/bin/sh"}}) {
      CommandPolicy::Program& program = *settings_.policy.add_programs();
      program.set_name(name);
      program.set_path(path);
      program.add_allowed_environment("WHO");
    }
    std::vector<FieldViolation> faults;
    CompleteCommandPolicy(uint64_t{1} << 30, &settings_.policy, &faults);
    context_ = MakeContext();
  }

  static CommandSpec Shell(const std::string& script) {
    CommandSpec spec;
    spec.set_program("sh");
    spec.add_arguments(std::string("-c"));
    spec.add_arguments(script);
    spec.add_retry_exit_codes(75);
    spec.mutable_stop_grace()->set_seconds(5);
    return spec;
  }

  absl::StatusOr<api::Job> Run(const CommandSpec& spec, const std::string& resume_from = "") {
    api::Job job;
    job.set_id("0000000000001");
    *job.mutable_command() = spec;
    Assignment assignment;
    assignment.mutable_ref()->set_attempt(1);
    assignment.set_resume_from(resume_from);
    const std::unique_ptr<Executor> executor = MakeCommandExecutor(settings_, SystemClock());
    if (absl::Status status = executor->Prepare(*context_, job, assignment); !status.ok())
      return status;
    return executor->Run(*context_);
  }

  std::string Logged() const {
    std::string text;
    for (const auto& line : context_->logs) absl::StrAppend(&text, line.text, "\n");
    return text;
  }

  // Acts once the program said something.
  template <typename Act>
  std::thread AfterFirstLine(Act act) {
    return std::thread([this, act] {
      while (!std::filesystem::exists(context_->work_dir() + "/files/ready"))
        absl::SleepFor(absl::Milliseconds(5));
      act();
    });
  }

  std::string Bytes(const std::string& sha256) { return *GetBytes(artifacts(), sha256, 1 << 20); }

  CommandSettings settings_;
  std::unique_ptr<FakeAttemptContext> context_;
};

TEST_F(CommandTest, LinesProgressMetricsAndFilesGoThrough) {
  CommandSpec spec = Shell(
      "echo hello $WHO; echo oops >&2; echo ::progress 0.5 half; echo ::metric loss 3 0.25;"
      "tr a-z A-Z < in/text > out.txt; mkdir more; echo 1 > more/one; echo 2 > more/two;"
      "echo ::output said more/one");
  (*spec.mutable_environment())["WHO"] = "world";
  auto* input = spec.add_inputs();
  input->set_path("in/text");
  input->set_artifact(Put("some text"));
  for (const auto& [name, path] : {std::pair{"text", "out.txt"}, {"all", "more/*"}}) {
    auto* output = spec.add_outputs();
    output->set_name(name);
    output->set_path(path);
  }
  const absl::StatusOr<api::Job> job = Run(spec);
  ASSERT_TRUE(job.ok()) << job.status();
  EXPECT_EQ(job->command_result().exit_code(), 0);
  EXPECT_EQ(job->command_result().guards_size(), 8);
  EXPECT_THAT(Logged(), HasSubstr("hello world\n"));
  EXPECT_THAT(Logged(), HasSubstr("oops\n"));
  ASSERT_EQ(context_->progress.size(), 1u);
  EXPECT_EQ(context_->progress[0].fraction, 0.5);
  ASSERT_EQ(context_->metrics.size(), 1u);
  EXPECT_EQ(context_->metrics[0].name, "loss");
  std::map<std::string, std::string> stored;
  for (const auto& output : context_->outputs) stored[output.name()] = Bytes(output.sha256());
  EXPECT_EQ(stored["text"], "SOME TEXT");
  EXPECT_EQ(stored["all/more/one"], "1\n");
  EXPECT_EQ(stored["all/more/two"], "2\n");
  EXPECT_EQ(stored["said"], "1\n");
}

TEST_F(CommandTest, AnExitCodeIsTheAttemptsErrorWithItsLastLine) {
  const absl::Status status = Run(Shell("echo wrong >&2; exit 3")).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("exit code 3; last line: wrong"));
  EXPECT_FALSE(IsPermanent(Run(Shell("exit 75")).status()));
}

TEST_F(CommandTest, LinksLeadNoOutputOutOfTheFolder) {
  for (const char* script :
       {"ln -s /etc/passwd out.txt", "ln -s /etc d; mkdir x; true", "mkfifo out.txt"}) {
    context_ = MakeContext();
    CommandSpec spec = Shell(script);
    spec.add_outputs()->set_name("stolen");
    spec.mutable_outputs(0)->set_path(absl::StrContains(script, " d;") ? "d/passwd" : "out.txt");
    const absl::Status status = Run(spec).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << script;
    EXPECT_THAT(std::string(status.message()), HasSubstr("link")) << script;
    EXPECT_TRUE(context_->outputs.empty());
  }
}

TEST_F(CommandTest, AMissingOutputFailsUnlessOptional) {
  CommandSpec spec = Shell("true");
  spec.add_outputs()->set_name("model");
  spec.mutable_outputs(0)->set_path("model.pt");
  EXPECT_THAT(std::string(Run(spec).status().message()), HasSubstr("model.pt"));
  spec.mutable_outputs(0)->set_optional(true);
  context_ = MakeContext();
  EXPECT_TRUE(Run(spec).ok());
}

TEST_F(CommandTest, ACancelEndsADeafProgramWithinASecond) {
  CommandSpec spec = Shell("trap '' TERM; touch ready; while true; do sleep 0.05; done");
  absl::Time cancelled;
  std::thread canceller = AfterFirstLine([&] {
    cancelled = absl::Now();
    context_->Cancel();
  });
  const absl::Status status = Run(spec).status();
  canceller.join();
  EXPECT_EQ(status.code(), absl::StatusCode::kCancelled);
  EXPECT_LT(absl::Now() - cancelled, absl::Seconds(3));  // 0.6 s, and a busy machine.
}

TEST_F(CommandTest, AStoppedProgramKeepsItsCheckpointAndTheNextAttemptHasIt) {
  CommandSpec spec = Shell(
      "n=$(cat checkpoint/n 2>/dev/null || echo 0);"
      "trap 'echo $((n + 1)) > checkpoint/n; exit 0' TERM;"
      "sleep 0.5; echo began at $n; touch ready; while true; do sleep 0.02; done");
  std::string resume_from;
  for (int attempt = 0; attempt < 2; ++attempt) {
    context_ = MakeContext();
    std::thread stopper = AfterFirstLine([&] { context_->RequestStop(); });
    const absl::StatusOr<api::Job> job = Run(spec, resume_from);
    stopper.join();
    ASSERT_TRUE(job.ok()) << job.status();
    EXPECT_THAT(Logged(), HasSubstr(absl::StrCat("began at ", attempt)));
    EXPECT_GT(context_->noted_peak_bytes, 0);
    ASSERT_EQ(context_->checkpoints.size(), 1u);
    resume_from = context_->checkpoints[0].sha256();
  }
}

TEST_F(CommandTest, ACheckpointIsKeptWhenTheProgramSaysSo) {
  const absl::StatusOr<api::Job> job =
      Run(Shell("echo state > checkpoint/state; echo ::checkpoint; sleep 0.3"));
  ASSERT_TRUE(job.ok()) << job.status();
  ASSERT_EQ(context_->checkpoints.size(), 1u);
  EXPECT_THAT(Bytes(context_->checkpoints[0].sha256()), HasSubstr("state"));
}

TEST_F(CommandTest, MemoryOverTheLimitIsTheOutOfMemoryOutcome) {
  CommandSpec spec;
  spec.set_program("probe");
  for (const char* word : {"allocate", "160"}) spec.add_arguments(std::string(word));
  spec.set_memory_limit_bytes(48 << 20);
  const absl::Status status = Run(spec).status();
  EXPECT_TRUE(IsOutOfMemory(status)) << status;
}

TEST_F(CommandTest, AControlGroupThatIsNotDelegatedFailsTheAttemptByTheGuardsName) {
  settings_.policy.set_cgroup(root());  // A plain folder: there is no memory.max in it.
  const absl::Status status = Run(Shell("true")).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("guard memory"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("memory.max"));
  EXPECT_TRUE(std::filesystem::is_empty(root()));
}

TEST_F(CommandTest, AFloodOfLinesIsCountedNotKept) {
  const absl::StatusOr<api::Job> job = Run(Shell("yes flood | head -n 40000"));
  ASSERT_TRUE(job.ok()) << job.status();
  EXPECT_GT(job->command_result().dropped_lines(), 10'000u);
  EXPECT_LT(context_->logs.size(), 30'000u);
}

TEST_F(CommandTest, AnUnlistedProgramOrVariableNeverStarts) {
  CommandSpec spec = Shell("true");
  (*spec.mutable_environment())["LD_PRELOAD"] = "/x";
  EXPECT_EQ(Run(spec).status().code(), absl::StatusCode::kPermissionDenied);
  spec.set_program("bash");
  EXPECT_EQ(Run(spec).status().code(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace switchyard::worker
