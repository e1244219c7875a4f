// What running work is told: that memory is out, that more urgent work needs its device, that it
// has a place in a gang; and what is left of its log when its worker dies.
#include <set>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/e2e/digits.h"

namespace switchyard::e2e {
namespace {

TEST(Memory, ATrainingThatNeedsMoreThanItMayHaveGoesOnWithASmallerBatch) {
  Fleet fleet;
  fleet.Start();
  MakeDigits(fleet);
  v1::Job job = TrainDigits(fleet, 1);
  job.mutable_train()->set_batch_size(128);
  const v1::Job whole = fleet.WaitEnded(fleet.Submit(job).id(), absl::Minutes(3));
  ASSERT_EQ(whole.state(), v1::Job::SUCCEEDED) << whole.message();
  const int64_t needed = whole.attempts(0).memory_peak_bytes();
  ASSERT_GT(needed, 1 << 20);

  job.set_memory_bytes(needed * 2 / 3);
  const v1::Job limited = fleet.WaitEnded(fleet.Submit(job).id(), absl::Minutes(3));
  ASSERT_EQ(limited.state(), v1::Job::SUCCEEDED) << limited.ShortDebugString();
  ASSERT_GE(limited.attempts_size(), 2);
  EXPECT_EQ(limited.attempts(0).outcome(), v1::Attempt::OUT_OF_MEMORY);
  // The numbers are told: what was needed, and what could be had.
  EXPECT_GT(limited.attempts(0).memory_peak_bytes(), job.memory_bytes());
  const v1::Attempt& last = limited.attempts(limited.attempts_size() - 1);
  EXPECT_EQ(last.outcome(), v1::Attempt::SUCCEEDED);
  EXPECT_LE(last.memory_peak_bytes(), job.memory_bytes());
  EXPECT_GT(last.memory_peak_bytes(), 0);
}

TEST(Preemption, AMoreUrgentJobTakesTheDeviceAndTheTrainingEndsBitForBitTheSame) {
  // What ends within the grace anyway is waited for, so the grace is short beside the training.
  Fleet fleet(
      {.scheduler_config = "preemption { min_run_time { seconds: 1 } grace { seconds: 2 } }\n"});
  fleet.Start();
  MakeDigits(fleet);
  grpc::ClientContext context;
  v1::UpdateLimitsRequest limits;
  v1::Limit& one = *limits.mutable_limits()->add_limits();
  one.set_job_class(v1::TRAINING);
  one.set_max_running(1);
  v1::Limits answer;
  ASSERT_TRUE(fleet.fleet().UpdateLimits(&context, limits, &answer).ok());

  v1::Job training = TrainDigits(fleet, 30);
  training.set_priority(9);
  const v1::Job whole = fleet.WaitEnded(fleet.Submit(training).id(), absl::Minutes(3));
  ASSERT_EQ(whole.state(), v1::Job::SUCCEEDED) << whole.message();

  const std::string victim = fleet.Submit(training).id();
  ASSERT_TRUE(WaitForProgress(fleet, victim, 0.1));
  v1::Job urgent = TrainDigits(fleet, 1);
  urgent.set_priority(1);
  urgent.mutable_train()->set_save_as("urgent");
  const v1::Job first = fleet.WaitEnded(fleet.Submit(urgent).id(), absl::Minutes(3));
  ASSERT_EQ(first.state(), v1::Job::SUCCEEDED) << first.message();
  const v1::Job ended = fleet.WaitEnded(victim, absl::Minutes(3));
  ASSERT_EQ(ended.state(), v1::Job::SUCCEEDED) << ended.message();
  // Two ran. One between them may have been assigned ahead and recalled before it started.
  std::vector<v1::Attempt> ran;
  for (const v1::Attempt& attempt : ended.attempts()) {
    if (attempt.has_start_time()) ran.push_back(attempt);
  }
  ASSERT_EQ(ran.size(), 2u) << ended.ShortDebugString();
  EXPECT_EQ(ran[0].outcome(), v1::Attempt::PREEMPTED);
  EXPECT_EQ(ran[1].outcome(), v1::Attempt::SUCCEEDED);
  EXPECT_FALSE(ran[1].resumed_from().empty());
  EXPECT_EQ(ended.train_result().weights_artifact(), whole.train_result().weights_artifact());
}

TEST(Gang, RunsOnAllItsDevicesAtTheSameTime) {
  Fleet fleet({.workers = 3});
  fleet.Start();
  v1::Job job = Noop("together", absl::Milliseconds(300));
  job.set_device_count(2);
  job.set_device("cpu");
  const v1::Job ended = fleet.WaitEnded(fleet.Submit(job).id());
  ASSERT_EQ(ended.state(), v1::Job::SUCCEEDED) << ended.ShortDebugString();
  EXPECT_EQ(ended.noop_result().payload(), "together");
  ASSERT_EQ(ended.attempts_size(), 1);
  ASSERT_EQ(ended.attempts(0).members_size(), 2);
  std::set<std::string> workers;
  for (const auto& member : ended.attempts(0).members()) workers.insert(member.worker());
  EXPECT_EQ(workers.size(), 2u);
}

TEST(Gang, TrainingRefusesIt) {
  Fleet fleet({.workers = 2});
  fleet.Start();
  MakeDigits(fleet);
  v1::Job job = TrainDigits(fleet, 1);
  job.set_device_count(2);
  job.set_device("cpu");
  grpc::ClientContext context;
  v1::CreateJobRequest request;
  *request.mutable_job() = job;
  v1::Job accepted;
  // At the door or on the worker, but in words.
  const grpc::Status status = fleet.jobs().CreateJob(&context, request, &accepted);
  if (!status.ok()) {
    EXPECT_NE(status.error_message().find("device_count"), std::string::npos)
        << status.error_message();
    return;
  }
  const v1::Job ended = fleet.WaitEnded(accepted.id());
  EXPECT_EQ(ended.state(), v1::Job::FAILED);
  EXPECT_NE(ended.error().message().find("device_count"), std::string::npos)
      << ended.ShortDebugString();
}

TEST(Log, OfAKilledWorkerIsThereAsFarAsItWasStoredAndTheRestIsAGap) {
  Fleet fleet;
  fleet.Start();
  MakeDigits(fleet);
  const std::string id = fleet.Submit(TrainDigits(fleet, 400)).id();
  const auto has_events = [&] {
    const v1::Job job = fleet.Get(id);
    for (const auto& output : job.outputs()) {
      if (output.name() == "events") return true;
    }
    return IsEnded(job.state());
  };
  ASSERT_TRUE(fleet.WaitUntil(has_events, absl::Minutes(2)));
  ASSERT_EQ(fleet.Get(id).state(), v1::Job::RUNNING);
  fleet.worker().Kill();
  // What only the processes' memory knew is gone too.
  fleet.scheduler().Kill();
  fleet.StartScheduler();
  fleet.StartWorker();
  ASSERT_TRUE(fleet.WaitUntil([&] { return fleet.Get(id).attempts_size() == 2; }));
  grpc::ClientContext context;
  v1::CancelJobRequest cancel;
  cancel.set_job(id);
  v1::Job answer;
  ASSERT_TRUE(fleet.jobs().CancelJob(&context, cancel, &answer).ok());
  fleet.WaitEnded(id);
  int lines = 0, gaps = 0;
  for (const v1::JobEvent& event : fleet.Watch(id)) {
    const bool of_first = event.id().find(".1.") != std::string::npos;
    lines += of_first && gaps == 0 && event.has_log();
    gaps += of_first && event.has_gap();
  }
  EXPECT_GE(lines, 2);
  EXPECT_EQ(gaps, 1);
}

}  // namespace
}  // namespace switchyard::e2e
