// What kill -9 of each process costs: nothing that was accepted, and no result twice.

#include <signal.h>

#include <set>

#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "tests/e2e/fleet.h"

namespace switchyard::e2e {
namespace {

// The serving runner: the worker's child, once there is one.
pid_t RunnerOf(Fleet& fleet) {
  std::vector<pid_t> runners;
  fleet.WaitUntil([&] { return !(runners = ChildrenOf(fleet.worker().pid())).empty(); });
  return runners.empty() ? -1 : runners.front();
}

TEST(Crash, AKilledRunnerCostsOneAttempt) {
  Fleet fleet;
  fleet.Start();
  const std::string id = fleet.Submit(Noop("x", absl::Seconds(1))).id();
  ASSERT_TRUE(fleet.WaitForState(id, v1::Job::RUNNING));
  ASSERT_EQ(kill(RunnerOf(fleet), SIGKILL), 0);
  const v1::Job job = fleet.WaitEnded(id);
  EXPECT_EQ(job.state(), v1::Job::SUCCEEDED) << job.message();
  ASSERT_EQ(job.attempts_size(), 2);
  EXPECT_EQ(job.attempts(0).outcome(), v1::Attempt::RUNNER_LOST);
  EXPECT_EQ(job.attempts(1).outcome(), v1::Attempt::SUCCEEDED);
}

TEST(Crash, AJobThatEndsItsRunnersFailsAsPoison) {
  Fleet fleet;
  fleet.Start();
  v1::Job poison = Noop("x");
  poison.mutable_noop()->set_crash_signal(SIGSEGV);
  poison.mutable_noop()->set_crash_attempts(100);
  const v1::Job job = fleet.WaitEnded(fleet.Submit(poison).id());
  EXPECT_EQ(job.state(), v1::Job::FAILED);
  EXPECT_EQ(job.reason(), v1::Job::POISON);
  EXPECT_EQ(job.attempts_size(), 3);
  // The next job finds a runner again.
  EXPECT_EQ(fleet.WaitEnded(fleet.Submit(Noop("y")).id()).state(), v1::Job::SUCCEEDED);
}

TEST(Crash, AKilledWorkerThatComesBackGivesItsJobsBackAtOnce) {
  Fleet fleet;
  fleet.Start();
  const std::string id = fleet.Submit(Noop("x", absl::Seconds(2))).id();
  ASSERT_TRUE(fleet.WaitForState(id, v1::Job::RUNNING));
  fleet.worker().Kill();
  const absl::Time killed = absl::Now();
  fleet.StartWorker();
  const v1::Job job = fleet.WaitEnded(id);
  EXPECT_EQ(job.state(), v1::Job::SUCCEEDED) << job.message();
  ASSERT_EQ(job.attempts_size(), 2);
  EXPECT_EQ(job.attempts(0).outcome(), v1::Attempt::WORKER_LOST);
  // Far less than the lease of 30 s: the new incarnation proves the old runners gone.
  EXPECT_LT(absl::Now() - killed, absl::Seconds(15));
}

TEST(Crash, AWorkerThatStaysAwayLosesItsJobWhenTheLeaseEnds) {
  Fleet fleet({.lease_seconds = 2});
  fleet.Start();
  const std::string id = fleet.Submit(Noop("x", absl::Milliseconds(300))).id();
  ASSERT_TRUE(fleet.WaitForState(id, v1::Job::RUNNING));
  fleet.worker().Kill();
  ASSERT_TRUE(fleet.WaitForState(id, v1::Job::QUEUED)) << fleet.Get(id).ShortDebugString();
  fleet.StartWorker();
  EXPECT_EQ(fleet.WaitEnded(id).state(), v1::Job::SUCCEEDED);
}

TEST(Crash, AKilledSchedulerKeepsTheRunningAttempt) {
  Fleet fleet;
  fleet.Start();
  const std::string id = fleet.Submit(Noop("x", absl::Seconds(3))).id();
  ASSERT_TRUE(fleet.WaitForState(id, v1::Job::RUNNING));
  fleet.scheduler().Kill();
  fleet.StartScheduler();
  const v1::Job job = fleet.WaitEnded(id);
  EXPECT_EQ(job.state(), v1::Job::SUCCEEDED) << job.message();
  EXPECT_EQ(job.attempts_size(), 1);
  EXPECT_EQ(job.noop_result().payload(), "x");
}

TEST(Crash, NothingAcceptedIsLostOverRepeatedKillsOfTheScheduler) {
  Fleet fleet;
  fleet.Start();
  std::set<std::string> accepted;
  for (int round = 0; round < 4; ++round) {
    v1::BatchCreateJobsRequest request;
    request.set_request_id("round-" + std::to_string(round));
    for (int i = 0; i < 500; ++i)
      *request.add_jobs() = Noop(std::to_string(i), absl::Milliseconds(1));
    grpc::ClientContext context;
    v1::BatchCreateJobsResponse response;
    const grpc::Status status = fleet.jobs().BatchCreateJobs(&context, request, &response);
    ASSERT_TRUE(status.ok()) << status.error_message();
    accepted.insert(response.ids().begin(), response.ids().end());
    fleet.scheduler().Kill();
    fleet.StartScheduler();
  }
  ASSERT_EQ(accepted.size(), 2000u);
  for (const std::string& id : accepted) {
    const v1::Job job = fleet.WaitEnded(id);
    ASSERT_EQ(job.state(), v1::Job::SUCCEEDED) << job.ShortDebugString();
  }
}

TEST(Crash, AStoppedAndRestartedInstallationGoesOn) {
  Fleet fleet;
  fleet.StartScheduler();
  fleet.StartGateway();
  ASSERT_TRUE(fleet.WaitUntil([&] {
    grpc::ClientContext context;
    v1::Queue queue;
    return fleet.fleet().GetQueue(&context, {}, &queue).ok();
  }));
  const std::string id = fleet.Submit(Noop("waits")).id();
  EXPECT_EQ(fleet.Get(id).state(), v1::Job::QUEUED);
  EXPECT_EQ(fleet.Get(id).reason(), v1::Job::NO_DEVICE);
  fleet.scheduler().Signal(SIGTERM);
  EXPECT_EQ(fleet.scheduler().Wait(10), 0);
  fleet.StartScheduler();
  fleet.StartWorker();
  const v1::Job job = fleet.WaitEnded(id);
  EXPECT_EQ(job.state(), v1::Job::SUCCEEDED);
  EXPECT_EQ(job.noop_result().payload(), "waits");
}

}  // namespace
}  // namespace switchyard::e2e
