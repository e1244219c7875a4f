// The real daemon and the real runner against a fake scheduler.
#include "worker/testing/worker_process.h"

#include <signal.h>

#include <cstdio>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "worker/testing/assignments.h"
#include "worker/testing/fake_scheduler.h"

namespace switchyard::worker {
namespace {

using ::switchyard::v1::Attempt;
using ::switchyard::v1::Job;
using ::switchyard::v1::NoopSpec;
using ::switchyard::worker::v1::AttemptReport;
using ::switchyard::worker::v1::SchedulerDelta;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

SchedulerDelta Assign(std::vector<::switchyard::worker::v1::Assignment> assignments) {
  SchedulerDelta delta;
  for (auto& assignment : assignments) *delta.add_assignments() = std::move(assignment);
  return delta;
}

SchedulerDelta CancelOf(const AttemptKey& key) {
  SchedulerDelta delta;
  *delta.add_cancels()->mutable_ref() = RefOf(key);
  return delta;
}

std::function<void(NoopSpec&)> HoldFor(absl::Duration hold) {
  return [hold](NoopSpec& spec) {
    spec.mutable_hold()->set_seconds(absl::ToInt64Seconds(hold));
    spec.mutable_hold()->set_nanos(
        static_cast<int32_t>(absl::ToInt64Nanoseconds(hold % absl::Seconds(1))));
  };
}

std::function<void(NoopSpec&)> CrashBy(int signal) {
  return [signal](NoopSpec& spec) {
    spec.set_crash_signal(static_cast<uint32_t>(signal));
    spec.set_crash_attempts(1);
  };
}

class WorkerProcessTest : public ::testing::Test {
 protected:
  TestFolder folder_;
  FakeScheduler scheduler_;
};

TEST_F(WorkerProcessTest, TellsItsWholeStateAndRunsANoopInARealRunner) {
  WorkerProcess worker(folder_.path(), scheduler_.address());
  const auto hello = scheduler_.WaitForHello();
  EXPECT_EQ(hello.worker(), "w1");
  EXPECT_FALSE(hello.incarnation().empty());
  ASSERT_EQ(hello.devices_size(), 1);
  EXPECT_EQ(hello.devices(0).device(), "cpu");
  EXPECT_GT(hello.devices(0).cores(), 0u);
  EXPECT_GT(hello.devices(0).memory_total_bytes(), 0);
  EXPECT_THAT(hello.kinds(), ::testing::Contains("noop"));

  scheduler_.Send(Assign({MakeNoop(TestKey(1))}));
  const AttemptReport report = scheduler_.WaitForFinished(TestKey(1));
  ASSERT_TRUE(report.has_finished());
  EXPECT_EQ(report.finished().outcome(), Attempt::SUCCEEDED);
  EXPECT_EQ(report.finished().device(), "cpu");
  EXPECT_FALSE(report.finished().device_name().empty());
  EXPECT_GT(report.finished().start_time().seconds(), 0);
  Job result;
  ASSERT_TRUE(result.ParseFromString(report.finished().result()));
  EXPECT_EQ(result.noop_result().payload(), "payload");
}

TEST_F(WorkerProcessTest, CancelsARunningNoopWithinASecond) {
  WorkerProcess worker(folder_.path(), scheduler_.address());
  scheduler_.Send(Assign({MakeNoop(TestKey(1), HoldFor(absl::Minutes(10)))}));
  ASSERT_TRUE(scheduler_.WaitForReport(TestKey(1), AttemptReport::kStarted).has_started());
  scheduler_.Send(CancelOf(TestKey(1)));
  const AttemptReport report = scheduler_.WaitForFinished(TestKey(1), absl::Seconds(1));
  EXPECT_EQ(report.finished().outcome(), Attempt::CANCELLED);
}

TEST_F(WorkerProcessTest, ReportsACrashedRunnerAndStartsHeldAttemptsInTheNextOne) {
  scheduler_.set_limits(1, 1);
  WorkerProcess worker(folder_.path(), scheduler_.address());
  scheduler_.Send(
      Assign({MakeNoop(TestKey(1), CrashBy(SIGSEGV), 1), MakeNoop(TestKey(2), nullptr, 2)}));
  const AttemptReport lost = scheduler_.WaitForFinished(TestKey(1));
  EXPECT_EQ(lost.finished().outcome(), Attempt::RUNNER_LOST);
  EXPECT_THAT(lost.finished().error().message(), HasSubstr("signal 11"));
  EXPECT_EQ(scheduler_.WaitForFinished(TestKey(2)).finished().outcome(), Attempt::SUCCEEDED);
}

TEST_F(WorkerProcessTest, RestartsAKilledRunnerWithinASecond) {
  WorkerProcess worker(folder_.path(), scheduler_.address());
  scheduler_.WaitForHello();
  const pid_t runner = worker.Runner();
  ASSERT_NE(runner, 0);
  kill(runner, SIGKILL);
  ASSERT_TRUE(Eventually([&] { return worker.Runner() != 0 && worker.Runner() != runner; },
                         absl::Seconds(1)));
  scheduler_.Send(Assign({MakeNoop(TestKey(1))}));
  EXPECT_EQ(scheduler_.WaitForFinished(TestKey(1)).finished().outcome(), Attempt::SUCCEEDED);
}

TEST_F(WorkerProcessTest,
       RunnersDieWithAKilledDaemonAndTheNextIncarnationAttachesWithoutTheirAttempts) {
  pid_t runner;
  {
    WorkerProcess worker(folder_.path(), scheduler_.address());
    scheduler_.Send(Assign({MakeNoop(TestKey(1), HoldFor(absl::Minutes(10)))}));
    scheduler_.WaitForReport(TestKey(1), AttemptReport::kStarted);
    runner = worker.Runner();
  }
  EXPECT_TRUE(Eventually([&] { return !ProcessLives(runner); }, absl::Seconds(2)));
  WorkerProcess worker(folder_.path(), scheduler_.address());
  const auto hello = scheduler_.WaitForHello(2);
  EXPECT_NE(hello.incarnation(), scheduler_.WaitForHello(1).incarnation());
  EXPECT_EQ(hello.attempts_size(), 0);
}

TEST_F(WorkerProcessTest, ARunnerEndsItselfWhenItsLeaseExpiresUnderAStoppedDaemon) {
  scheduler_.set_lease(absl::Seconds(1));
  scheduler_.set_heartbeat_interval(absl::Milliseconds(200));
  WorkerProcess worker(folder_.path(), scheduler_.address());
  scheduler_.Send(Assign({MakeNoop(TestKey(1), HoldFor(absl::Minutes(10)))}));
  scheduler_.WaitForReport(TestKey(1), AttemptReport::kStarted);
  const pid_t runner = worker.Runner();
  ASSERT_TRUE(ProcessLives(runner));
  worker.Signal(SIGSTOP);
  EXPECT_TRUE(Eventually([&] { return !ProcessLives(runner); }, absl::Seconds(3)));
  worker.Signal(SIGCONT);
}

TEST_F(WorkerProcessTest, KeepsItsAttemptsByHeartbeats) {
  scheduler_.set_lease(absl::Seconds(1));
  scheduler_.set_heartbeat_interval(absl::Milliseconds(100));
  WorkerProcess worker(folder_.path(), scheduler_.address());
  scheduler_.Send(Assign({MakeNoop(TestKey(1), HoldFor(absl::Milliseconds(1500)))}));
  EXPECT_EQ(scheduler_.WaitForFinished(TestKey(1)).finished().outcome(), Attempt::SUCCEEDED);
}

TEST_F(WorkerProcessTest, EndsItsAttemptsWhenTheSchedulerRenewsNoMore) {
  scheduler_.set_lease(absl::Seconds(1));
  scheduler_.set_heartbeat_interval(absl::Milliseconds(400));
  scheduler_.set_acknowledge_heartbeats(false);
  WorkerProcess worker(folder_.path(), scheduler_.address());
  scheduler_.Send(Assign({MakeNoop(TestKey(1), HoldFor(absl::Minutes(10)))}));
  scheduler_.WaitForReport(TestKey(1), AttemptReport::kStarted);
  const pid_t runner = worker.Runner();
  EXPECT_TRUE(Eventually([&] { return !ProcessLives(runner); }, absl::Seconds(3)));
  EXPECT_EQ(scheduler_.CountReports(TestKey(1), AttemptReport::kFinished), 0u);
}

TEST_F(WorkerProcessTest, ComesBackWithTheSameAttemptsAfterALostStream) {
  scheduler_.set_acknowledge(false);
  WorkerProcess worker(folder_.path(), scheduler_.address());
  scheduler_.Send(Assign({MakeNoop(TestKey(1), HoldFor(absl::Minutes(10))), MakeNoop(TestKey(2))}));
  scheduler_.WaitForReport(TestKey(1), AttemptReport::kStarted);
  scheduler_.WaitForFinished(TestKey(2));
  scheduler_.Disconnect();
  const auto hello = scheduler_.WaitForHello(2);
  EXPECT_EQ(hello.incarnation(), scheduler_.WaitForHello(1).incarnation());
  std::vector<int> states;
  for (const auto& report : hello.attempts()) states.push_back(report.report_case());
  EXPECT_THAT(states, UnorderedElementsAre(AttemptReport::kStarted, AttemptReport::kFinished));
  // The unacknowledged end is repeated.
  EXPECT_TRUE(Eventually(
      [&] { return scheduler_.CountReports(TestKey(2), AttemptReport::kFinished) == 2; }));
}

TEST_F(WorkerProcessTest, DrainHandsBackWhatHasNotStartedAndWaitsForWhatRuns) {
  scheduler_.set_limits(1, 1);
  WorkerProcess worker(folder_.path(), scheduler_.address());
  scheduler_.Send(Assign({MakeNoop(TestKey(1), HoldFor(absl::Milliseconds(700)), 1),
                          MakeNoop(TestKey(2), nullptr, 2)}));
  scheduler_.WaitForReport(TestKey(1), AttemptReport::kStarted);
  worker.Signal(SIGTERM);
  EXPECT_TRUE(scheduler_.WaitForDraining());
  EXPECT_TRUE(scheduler_.WaitForReport(TestKey(2), AttemptReport::kReturned).has_returned());
  EXPECT_EQ(scheduler_.WaitForFinished(TestKey(1)).finished().outcome(), Attempt::SUCCEEDED);
  const int status = worker.Wait();
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

TEST_F(WorkerProcessTest, MovesNoopsInBatches) {
  // That nothing is lost or left behind when frames are full; how fast it goes is for `./run
  // bench`.
  constexpr uint64_t kJobs = 50'000;
  constexpr uint64_t kAhead = 512;
  scheduler_.set_keep_reports(false);
  WorkerProcess worker(folder_.path(), scheduler_.address());
  scheduler_.WaitForHello();
  const std::string job = [] {
    Job noop;
    noop.mutable_noop()->set_payload(std::string(200, 'x'));
    return noop.SerializeAsString();
  }();
  for (uint64_t sent = 0; sent < kJobs;) {
    SchedulerDelta delta;
    for (uint64_t i = 0; i < kAhead / 2 && sent < kJobs; ++i) {
      ++sent;
      auto assignment = MakeNoop(TestKey(sent), nullptr, sent);
      assignment.set_job(job);
      *delta.add_assignments() = std::move(assignment);
    }
    scheduler_.Send(std::move(delta));
    if (sent > kAhead) {
      ASSERT_TRUE(scheduler_.WaitForFinishedCount(sent - kAhead));
    }
  }
  ASSERT_TRUE(scheduler_.WaitForFinishedCount(kJobs));
}

TEST(WorkerBinary, DoesNotLinkLibTorch) {
  FILE* ldd = popen("ldd " SWITCHYARD_WORKER_BINARY, "r");
  std::string text(1 << 16, '\0');
  text.resize(fread(text.data(), 1, text.size(), ldd));
  pclose(ldd);
  EXPECT_THAT(text, HasSubstr("libgrpc"));
  EXPECT_THAT(text, ::testing::Not(HasSubstr("torch")));
  EXPECT_THAT(text, ::testing::Not(HasSubstr("libc10")));
}

}  // namespace
}  // namespace switchyard::worker
