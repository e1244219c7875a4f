// Workers that get no new work, drains, hosts over their ceilings, and work without progress.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "scheduler/core/core.h"

namespace switchyard::scheduler {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr uint16_t kTrain = 33;
constexpr uint16_t kPredict = 34;
constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kGiB = int64_t{1} << 30;

CoreConfig TestConfig() {
  CoreConfig config;
  config.kinds = {{.name = "train",
                   .number = kTrain,
                   .job_class = JobClass::kTraining,
                   .checkpoints = true,
                   .reports_progress = true},
                  {.name = "predict",
                   .number = kPredict,
                   .job_class = JobClass::kInference,
                   .assumed_run_time_us = 10}};
  return config;
}

class CordonTest : public testing::Test {
 protected:
  Effects Drain(std::vector<Event> events) {
    Effects effects;
    for (const Event& event : events) core_->Apply(event, now_, effects);
    core_->Advance(now_, effects);
    core_->TakeChanges([&](const Change& change) { last_[change.image->id] = *change.image; });
    return effects;
  }
  // Later, while workers keep their leases.
  Effects Later(int64_t us) {
    Effects all;
    for (int64_t left_us = us; left_us > 0; left_us -= 10 * kSecond) {
      const int64_t step_us = std::min(left_us, 10 * kSecond);
      now_.wall_us += step_us;
      now_.boot_us += step_us;
      Effects effects = Drain({WorkerHeartbeat{1, 1}});
      std::move(effects.assignments.begin(), effects.assignments.end(),
                std::back_inserter(all.assignments));
      std::move(effects.cancels.begin(), effects.cancels.end(), std::back_inserter(all.cancels));
    }
    return all;
  }
  static WorkerAttached Hello(uint64_t session, const std::string& worker) {
    WorkerAttached hello{.session = session, .worker = worker, .incarnation = "a"};
    hello.devices = {{.device = "cpu"}};
    hello.kinds = {"train", "predict"};
    return hello;
  }
  Effects Submit(uint16_t kind, int64_t no_progress_us = 0) {
    Effects effects =
        Drain({SubmitJobs{.tag = 1,
                          .tenant = "default",
                          .jobs = {{.kind = kind, .no_progress_us = no_progress_us}}}});
    job_ = effects.replies.at(0).job;
    return effects;
  }
  Effects Says(const AssignAttempt& assignment, decltype(AttemptReport::report) report) {
    WorkerReports reports{.session = assignment.session};
    reports.reports.push_back({assignment.ref, std::move(report)});
    return Drain({std::move(reports)});
  }
  Effects Cordoned(const std::string& worker, int64_t drain_deadline_us = 0) {
    return Drain({CordonWorker{.tag = 9, .cordon = {worker, "repair", drain_deadline_us}}});
  }
  JobImage Of(JobId job) {
    JobImage image;
    return core_->Image(job, image) ? image : last_[job];
  }

  Now now_{.wall_us = 1'700'000'000 * kSecond, .boot_us = 3600 * kSecond};
  std::unique_ptr<Core> core_ = std::make_unique<Core>(TestConfig());
  std::map<JobId, JobImage> last_;
  JobId job_ = 0;
};

TEST_F(CordonTest, ACordonedWorkerGetsNoNewWorkUntilItIsLifted) {
  Drain({Hello(1, "w1")});
  const Effects cordoned = Cordoned("w1");
  EXPECT_TRUE(cordoned.cordons_changed);
  EXPECT_THAT(Submit(kTrain).assignments, IsEmpty());
  EXPECT_EQ(Of(job_).reason, Reason::kCordoned);
  EXPECT_TRUE(core_->Fleet().at(0).cordoned);
  EXPECT_THAT(core_->cordons(), ElementsAre(Cordon{"w1", "repair", 0}));
  const Effects lifted = Drain({CordonWorker{.tag = 9, .cordon = {"w1"}, .lift = true}});
  EXPECT_THAT(lifted.assignments, SizeIs(1));
  EXPECT_THAT(core_->cordons(), IsEmpty());
}

TEST_F(CordonTest, ACordonHoldsOverARestartAndBeforeItsWorkerComes) {
  CoreConfig config = TestConfig();
  config.cordons = {{"w1", "repair", 0}};
  core_ = std::make_unique<Core>(config);
  Submit(kTrain);
  EXPECT_THAT(Drain({Hello(1, "w1")}).assignments, IsEmpty());
  EXPECT_THAT(Drain({Hello(2, "w2")}).assignments, SizeIs(1));
}

TEST_F(CordonTest, WhatACordonedWorkerHasNotStartedIsCalledBack) {
  Drain({Hello(1, "w1")});
  const Effects submitted = Submit(kPredict);
  ASSERT_THAT(submitted.assignments, SizeIs(1));
  const Effects cordoned = Cordoned("w1");
  ASSERT_THAT(cordoned.recalls, SizeIs(1));
  EXPECT_EQ(cordoned.recalls[0].ref, submitted.assignments[0].ref);
}

TEST_F(CordonTest, AtTheDeadlineOfADrainATrainingIsAskedToCheckpointAndRunsElsewhere) {
  Drain({Hello(1, "w1")});
  const Effects submitted = Submit(kTrain);
  Says(submitted.assignments.at(0), Started{.device = "cpu"});
  EXPECT_THAT(Cordoned("w1", now_.wall_us + 60 * kSecond).cancels, IsEmpty());
  const Effects due = Later(60 * kSecond);
  ASSERT_THAT(due.cancels, SizeIs(1));
  EXPECT_TRUE(due.cancels[0].preempt);
  Says(submitted.assignments[0], CheckpointStored{{.name = "checkpoint", .sha256 = "c"}});
  Says(submitted.assignments[0], Returned{});
  EXPECT_EQ(Of(job_).state, JobState::kQueued);
  EXPECT_EQ(Of(job_).failed_attempts, 0u);
  const Effects elsewhere = Drain({Hello(2, "w2")});
  ASSERT_THAT(elsewhere.assignments, SizeIs(1));
  EXPECT_EQ(elsewhere.assignments[0].resume_from, "c");
}

TEST_F(CordonTest, ATrainingThatDoesNotGiveWayInItsGraceIsEndedAndQueuedAgain) {
  Drain({Hello(1, "w1")});
  const Effects submitted = Submit(kTrain);
  Says(submitted.assignments.at(0), Started{.device = "cpu"});
  Cordoned("w1", now_.wall_us + 60 * kSecond);
  Later(60 * kSecond);
  const Effects hard = Later(40 * kSecond);
  ASSERT_THAT(hard.cancels, SizeIs(1));
  EXPECT_FALSE(hard.cancels[0].preempt);
  Says(submitted.assignments[0], Finished{.outcome = Outcome::kCancelled});
  EXPECT_EQ(Of(job_).state, JobState::kQueued);
  EXPECT_EQ(Of(job_).failed_attempts, 0u);
}

TEST_F(CordonTest, OtherWorkMayEndInItsGraceThenItIsEndedAndQueuedAgain) {
  Drain({Hello(1, "w1")});
  const Effects submitted = Submit(kPredict);
  Says(submitted.assignments.at(0), Started{.device = "cpu"});
  Cordoned("w1", now_.wall_us + 60 * kSecond);
  EXPECT_THAT(Later(60 * kSecond).cancels, SizeIs(1));
  const Effects hard = Later(30 * kSecond);
  ASSERT_THAT(hard.cancels, SizeIs(1));
  EXPECT_FALSE(hard.cancels[0].preempt);
  Says(submitted.assignments[0], Finished{.outcome = Outcome::kCancelled});
  EXPECT_EQ(Of(job_).state, JobState::kQueued);
  EXPECT_EQ(Of(job_).attempts.at(0).outcome, Outcome::kPreempted);
}

TEST_F(CordonTest, ADrainPastItsDeadlineEndsWhatAReattachedWorkerStillRuns) {
  Drain({Hello(1, "w1")});
  const Effects submitted = Submit(kPredict);
  Says(submitted.assignments.at(0), Started{.device = "cpu"});
  Cordoned("w1", now_.wall_us + 5 * kSecond);
  Drain({WorkerDetached{1}});
  now_.wall_us += 10 * kSecond;
  now_.boot_us += 10 * kSecond;
  Drain({});
  WorkerAttached again = Hello(3, "w1");
  again.attempts.push_back({submitted.assignments[0].ref, Started{.device = "cpu"}});
  EXPECT_THAT(Drain({again}).cancels, SizeIs(1));
}

TEST_F(CordonTest, ABusyHostGetsNoNewWorkUntilItIsClearlyBelow) {
  WorkerAttached hello = Hello(1, "w1");
  hello.host_figures = {.memory_used_bytes = 9 * kGiB, .memory_ceiling_bytes = 8 * kGiB};
  Drain({hello});
  EXPECT_THAT(Submit(kTrain).assignments, IsEmpty());
  EXPECT_EQ(Of(job_).reason, Reason::kHostBusy);
  HostFigures figures = hello.host_figures;
  figures.memory_used_bytes = figures.memory_ceiling_bytes;
  EXPECT_THAT(Drain({WorkerHostChanged{1, figures}}).assignments, IsEmpty());
  figures.memory_used_bytes = 7 * kGiB;
  EXPECT_THAT(Drain({WorkerHostChanged{1, figures}}).assignments, SizeIs(1));
}

// --- Without progress ---

TEST_F(CordonTest, WorkWithoutProgressForItsStatedTimeFailsAsStuck) {
  Drain({Hello(1, "w1")});
  const Effects submitted = Submit(kTrain, 100 * kSecond);
  EXPECT_EQ(submitted.assignments.at(0).no_progress_us, 100 * kSecond);
  Says(submitted.assignments[0], Started{.device = "cpu"});
  Later(90 * kSecond);
  Says(submitted.assignments[0], Started{.device = "cpu", .progress = 0.5});
  EXPECT_THAT(Later(90 * kSecond).cancels, IsEmpty());
  // The same again is no progress.
  Says(submitted.assignments[0], Started{.device = "cpu", .progress = 0.5});
  ASSERT_THAT(Later(20 * kSecond).cancels, SizeIs(1));
  Says(submitted.assignments[0], Finished{.outcome = Outcome::kCancelled});
  EXPECT_EQ(Of(job_).state, JobState::kFailed);
  EXPECT_EQ(Of(job_).reason, Reason::kStuck);
  EXPECT_EQ(Of(job_).attempts.at(0).outcome, Outcome::kStuck);
}

TEST_F(CordonTest, TheTimeWithoutProgressIsLearnedFromUsualGaps) {
  Drain({Hello(1, "w1")});
  const Effects first = Submit(kTrain);
  EXPECT_EQ(first.assignments.at(0).no_progress_us, 0);
  Says(first.assignments[0], Started{.device = "cpu"});
  Later(200 * kSecond);
  Says(first.assignments[0], Started{.device = "cpu", .progress = 0.5});
  Says(first.assignments[0], Finished{.outcome = Outcome::kSucceeded, .run_us = kSecond});
  EXPECT_EQ(Submit(kTrain).assignments.at(0).no_progress_us, 2000 * kSecond);
}

TEST_F(CordonTest, WorkThatNeverReportsProgressIsNotStuck) {
  Drain({Hello(1, "w1")});
  const Effects submitted = Submit(kPredict);
  Says(submitted.assignments.at(0), Started{.device = "cpu"});
  EXPECT_THAT(Later(100'000 * kSecond).cancels, IsEmpty());
}

}  // namespace
}  // namespace switchyard::scheduler
