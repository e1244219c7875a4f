// The supervisor with real runner processes.
#include "worker/supervise/supervisor.h"

#include <signal.h>
#include <sys/resource.h>

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>

#include "common/clock/clock.h"
#include "gtest/gtest.h"
#include "worker/testing/assignments.h"
#include "worker/testing/processes.h"

namespace switchyard::worker {
namespace {

using ::switchyard::worker::v1::FromRunner;
using ::switchyard::worker::v1::ToRunner;

// Keeps what runners say.
class Recorder final : public RunnerEvents {
 public:
  void OnFrame(RunnerId runner, FromRunner& frame) override {
    std::lock_guard<std::mutex> lock(mutex_);
    if (frame.has_hello()) pids_[runner] = frame.hello().pid();
    for (const auto& report : frame.reports()) reports_ += report.has_started();
    health_ += frame.has_health();
  }
  void OnExit(RunnerId runner, const RunnerExit& exit) override {
    std::lock_guard<std::mutex> lock(mutex_);
    exits_[runner] = exit;
  }

  // Its process id once it said hello.
  pid_t WaitForHello(RunnerId runner) {
    pid_t pid = 0;
    Eventually([&] {
      std::lock_guard<std::mutex> lock(mutex_);
      pid = pids_[runner];
      return pid != 0;
    });
    return pid;
  }
  std::optional<RunnerExit> WaitForExit(RunnerId runner,
                                        absl::Duration timeout = absl::Seconds(20)) {
    std::optional<RunnerExit> exit;
    Eventually(
        [&] {
          std::lock_guard<std::mutex> lock(mutex_);
          if (exits_.contains(runner)) exit = exits_[runner];
          return exit.has_value();
        },
        timeout);
    return exit;
  }
  bool WaitForStarted() {
    return Eventually([&] {
      std::lock_guard<std::mutex> lock(mutex_);
      return reports_ > 0;
    });
  }
  bool WaitForHealth() {
    return Eventually([&] {
      std::lock_guard<std::mutex> lock(mutex_);
      return health_ > 0;
    });
  }

 private:
  std::mutex mutex_;
  std::map<RunnerId, pid_t> pids_;
  std::map<RunnerId, RunnerExit> exits_;
  int reports_ = 0;
  int health_ = 0;
};

class SupervisorTest : public ::testing::Test {
 protected:
  SupervisorTest() {
    SupervisorOptions options;
    options.runner = SWITCHYARD_RUNNER_BINARY;
    options.device.device = "cpu";
    options.device.name = "test";
    options.artifact_dir = folder_.path() + "/artifacts";
    options.work_dir = folder_.path() + "/work";
    options.oom_kills = [this] { return oom_kills_.load(); };
    supervisor_ = std::make_unique<Supervisor>(options);
    supervisor_->set_events(&recorder_);
  }

  // Gives the runner an attempt that lasts, and waits for its start.
  void StartLongNoop(RunnerId runner, absl::Duration lease) {
    ToRunner frame;
    frame.set_lease_expiry_boottime_ns(
        static_cast<uint64_t>(absl::ToInt64Nanoseconds(SystemClock().BootTime() + lease)));
    auto* limit = frame.add_limits();
    limit->set_job_class(::switchyard::v1::INFERENCE);
    limit->set_max_running(1);
    *frame.add_start() =
        MakeNoop(TestKey(1), [](auto& spec) { spec.mutable_hold()->set_seconds(600); });
    supervisor_->Send(runner, frame);
    ASSERT_TRUE(recorder_.WaitForStarted());
  }

  TestFolder folder_;
  std::atomic<uint64_t> oom_kills_ = 3;
  Recorder recorder_;
  std::unique_ptr<Supervisor> supervisor_;
};

TEST_F(SupervisorTest, ARunnerLeadsItsOwnProcessGroupInTheDaemonsSession) {
  const pid_t pid =
      recorder_.WaitForHello(supervisor_->Start(RunnerRole::kServing, absl::ZeroDuration()));
  ASSERT_NE(pid, 0);
  EXPECT_EQ(getpgid(pid), pid);
  EXPECT_EQ(getsid(pid), getsid(0));
}

TEST_F(SupervisorTest, KnowsTheKernelsKillerByItsCount) {
  RunnerId runner = supervisor_->Start(RunnerRole::kOwn, absl::ZeroDuration());
  pid_t pid = recorder_.WaitForHello(runner);
  ++oom_kills_;
  kill(pid, SIGKILL);
  EXPECT_TRUE(recorder_.WaitForExit(runner)->out_of_memory);
  // The count stands still: somebody else's signal.
  runner = supervisor_->Start(RunnerRole::kOwn, absl::ZeroDuration());
  pid = recorder_.WaitForHello(runner);
  kill(pid, SIGKILL);
  EXPECT_FALSE(recorder_.WaitForExit(runner)->out_of_memory);
  // It rose, but the signal is ours.
  runner = supervisor_->Start(RunnerRole::kOwn, absl::ZeroDuration());
  recorder_.WaitForHello(runner);
  ++oom_kills_;
  supervisor_->Kill(runner);
  EXPECT_FALSE(recorder_.WaitForExit(runner)->out_of_memory);
}

TEST_F(SupervisorTest, ARunnerOfItsOwnHasTheLeastPriority) {
  const pid_t own =
      recorder_.WaitForHello(supervisor_->Start(RunnerRole::kOwn, absl::ZeroDuration()));
  const pid_t serving =
      recorder_.WaitForHello(supervisor_->Start(RunnerRole::kServing, absl::ZeroDuration()));
  EXPECT_EQ(getpriority(PRIO_PROCESS, static_cast<id_t>(own)), 19);
  EXPECT_LT(getpriority(PRIO_PROCESS, static_cast<id_t>(serving)), 19);
}

TEST_F(SupervisorTest, AHungRunnerIsKilledWithItsGroup) {
  const RunnerId runner = supervisor_->Start(RunnerRole::kOwn, absl::ZeroDuration());
  const pid_t pid = recorder_.WaitForHello(runner);
  StartLongNoop(runner, absl::Minutes(1));
  kill(pid, SIGSTOP);
  supervisor_->Kill(runner);
  const auto exit = recorder_.WaitForExit(runner);
  ASSERT_TRUE(exit.has_value());
  EXPECT_EQ(exit->signal, SIGKILL);
  EXPECT_FALSE(ProcessLives(pid));
}

TEST_F(SupervisorTest, AnIdleRunnerEndsCleanlyWhenItsSocketCloses) {
  const RunnerId runner = supervisor_->Start(RunnerRole::kOwn, absl::ZeroDuration());
  recorder_.WaitForHello(runner);
  supervisor_->Close(runner);
  const auto exit = recorder_.WaitForExit(runner);
  ASSERT_TRUE(exit.has_value());
  EXPECT_EQ(exit->signal, 0);
  EXPECT_EQ(exit->code, 0);
}

TEST_F(SupervisorTest, ARunnerWithWorkEndsWhenItsSocketCloses) {
  const RunnerId runner = supervisor_->Start(RunnerRole::kServing, absl::ZeroDuration());
  recorder_.WaitForHello(runner);
  StartLongNoop(runner, absl::Minutes(1));
  supervisor_->Close(runner);
  EXPECT_TRUE(recorder_.WaitForExit(runner).has_value());
}

TEST_F(SupervisorTest, ARunnerWhoseLeaseExpiresEndsItself) {
  const RunnerId runner = supervisor_->Start(RunnerRole::kServing, absl::ZeroDuration());
  recorder_.WaitForHello(runner);
  StartLongNoop(runner, absl::Milliseconds(300));
  EXPECT_TRUE(recorder_.WaitForExit(runner, absl::Seconds(2)).has_value());
}

TEST_F(SupervisorTest, AnIdleRunnerOutlivesItsLease) {
  const RunnerId runner = supervisor_->Start(RunnerRole::kServing, absl::ZeroDuration());
  recorder_.WaitForHello(runner);
  ToRunner frame;
  frame.set_lease_expiry_boottime_ns(1);
  frame.set_check_health(true);
  supervisor_->Send(runner, frame);
  EXPECT_TRUE(recorder_.WaitForHealth());
  EXPECT_FALSE(recorder_.WaitForExit(runner, absl::Milliseconds(700)).has_value());
}

TEST_F(SupervisorTest, SaysWhyARunnerCannotBeStarted) {
  Recorder recorder;
  SupervisorOptions options;
  options.runner = "/nonexistent/switchyard-runner";
  Supervisor supervisor(options);
  supervisor.set_events(&recorder);
  const auto exit =
      recorder.WaitForExit(supervisor.Start(RunnerRole::kServing, absl::ZeroDuration()));
  ASSERT_TRUE(exit.has_value());
  EXPECT_NE(exit->ToString().find("/nonexistent/switchyard-runner"), std::string::npos);
}

TEST_F(SupervisorTest, StopLeavesNoProcessBehind) {
  const pid_t first =
      recorder_.WaitForHello(supervisor_->Start(RunnerRole::kServing, absl::ZeroDuration()));
  const pid_t second =
      recorder_.WaitForHello(supervisor_->Start(RunnerRole::kOwn, absl::ZeroDuration()));
  supervisor_->Start(RunnerRole::kOwn, absl::Minutes(1));
  supervisor_->Stop();
  EXPECT_FALSE(ProcessLives(first));
  EXPECT_FALSE(ProcessLives(second));
}

}  // namespace
}  // namespace switchyard::worker
