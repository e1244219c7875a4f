// Memory of devices in the core: the ledger, budgets of serving runners, out of memory, what is
// learned.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "scheduler/core/core.h"

namespace switchyard::scheduler {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr uint16_t kTrain = 33;
constexpr uint16_t kPredict = 34;
constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kGiB = int64_t{1} << 30;

CoreConfig TestConfig() {
  CoreConfig config;
  config.serving_share_percent = 25;
  config.kinds = {{.name = "train",
                   .number = kTrain,
                   .job_class = JobClass::kTraining,
                   .checkpoints = true,
                   .shrinks_batch = true},
                  {.name = "predict", .number = kPredict, .job_class = JobClass::kInference}};
  return config;
}

class MemoryTest : public testing::Test {
 protected:
  Effects Drain(std::vector<Event> events) {
    Effects effects;
    for (const Event& event : events) core_->Apply(event, now_, effects);
    core_->Advance(now_, effects);
    core_->TakeChanges([&](const Change& change) { last_[change.image->id] = *change.image; });
    return effects;
  }
  Effects Later(int64_t us) {
    now_.wall_us += us;
    now_.boot_us += us;
    return Drain({});
  }
  // The first worker stays for so many seconds.
  void Hold(int seconds) {
    for (int i = 0; i < seconds; i += 10) {
      Later(10 * kSecond);
      Drain({WorkerHeartbeat{1, ++heartbeats_}});
    }
  }
  // A worker with one GPU of `bytes`.
  static WorkerAttached Gpu(uint64_t session, int64_t bytes, int64_t context_bytes = 0) {
    WorkerAttached hello{.session = session,
                         .worker = "w" + std::to_string(session),
                         .incarnation = "a",
                         .kinds = {"train", "predict"}};
    hello.devices = {
        {.device = "cuda:0", .memory_total_bytes = bytes, .runner_context_bytes = context_bytes}};
    return hello;
  }
  // One that shares its host's memory with others.
  static WorkerAttached OnHost(uint64_t session) {
    WorkerAttached hello = Gpu(session, 16 * kGiB);
    hello.devices[0].device = "cpu";
    hello.host_figures = {.ledger_id = "host", .memory_total_bytes = 16 * kGiB};
    return hello;
  }
  static NewJob Train(int64_t memory_bytes, std::string shape = "") {
    return {.kind = kTrain, .memory_bytes = memory_bytes, .shape = std::move(shape)};
  }
  static NewJob Predict(int64_t memory_bytes) {
    return {.kind = kPredict, .memory_bytes = memory_bytes};
  }
  Effects Submit(NewJob job) {
    Effects effects = Drain({SubmitJobs{.tag = 1, .tenant = "default", .jobs = {std::move(job)}}});
    job_ = effects.replies.at(0).job;
    return effects;
  }
  Effects Ends(const AssignAttempt& assignment, Finished finished) {
    WorkerReports reports{.session = assignment.session};
    reports.reports.push_back({assignment.ref, std::move(finished)});
    return Drain({std::move(reports)});
  }
  static Finished Success(int64_t peak_bytes) {
    return {.outcome = Outcome::kSucceeded,
            .start_us = 1,
            .run_us = 10,
            .memory_peak_bytes = peak_bytes};
  }
  static Finished RanOut(int64_t needed_bytes, uint32_t batch = 0) {
    return {.outcome = Outcome::kFailed,
            .start_us = 1,
            .out_of_memory = true,
            .memory_peak_bytes = needed_bytes,
            .batch = batch};
  }
  JobImage Of(JobId job) {
    JobImage image;
    return core_->Image(job, image) ? image : last_[job];
  }
  int64_t Promised() const { return core_->Fleet().at(0).devices.at(0).memory_promised_bytes; }

  Now now_{.wall_us = 1'700'000'000 * kSecond, .boot_us = 3600 * kSecond};
  std::unique_ptr<Core> core_ = std::make_unique<Core>(TestConfig());
  std::map<JobId, JobImage> last_;
  JobId job_ = 0;  // Submitted last.
  uint64_t heartbeats_ = 0;
};

TEST_F(MemoryTest, AnAttemptIsGrantedWhatItsJobStates) {
  Drain({Gpu(1, 24 * kGiB)});
  const Effects effects = Submit(Train(10 * kGiB));
  ASSERT_THAT(effects.assignments, SizeIs(1));
  EXPECT_EQ(effects.assignments[0].memory_bytes, 10 * kGiB);
  EXPECT_EQ(Promised(), 10 * kGiB);
  Ends(effects.assignments[0], Success(9 * kGiB));
  EXPECT_EQ(Promised(), 0);
  EXPECT_EQ(Of(job_).attempts.at(0).memory_granted_bytes, 10 * kGiB);
  EXPECT_EQ(Of(job_).attempts.at(0).memory_peak_bytes, 9 * kGiB);
}

TEST_F(MemoryTest, NothingIsPromisedTwice) {
  Drain({Gpu(1, 24 * kGiB)});
  const Effects first = Submit(Predict(14 * kGiB));
  ASSERT_THAT(first.assignments, SizeIs(1));
  EXPECT_THAT(Submit(Predict(11 * kGiB)).assignments, IsEmpty());
  EXPECT_EQ(Of(job_).reason, Reason::kMemory);
  EXPECT_THAT(Of(job_).message, HasSubstr("needs 11.0 GiB"));
  EXPECT_THAT(Of(job_).message, HasSubstr("10.0 GiB"));
  EXPECT_THAT(Ends(first.assignments[0], Success(0)).assignments, SizeIs(1));
}

TEST_F(MemoryTest, NothingIsRecalledForAJobThatWouldStillLackMemory) {
  Drain({Gpu(1, 24 * kGiB)});
  Ends(Submit(Predict(0)).assignments.at(0), Success(0));
  const AssignAttempt first = Submit(Predict(20 * kGiB)).assignments.at(0);
  Drain({WorkerReports{.session = 1, .reports = {{first.ref, Started{}}}}});
  for (int i = 0; i < 3; ++i) {
    NewJob small = Predict(kGiB);
    small.priority = 9;
    ASSERT_THAT(Submit(small).assignments, SizeIs(1)) << "the last is held behind the others";
  }
  NewJob large = Predict(6 * kGiB);
  large.priority = 1;
  Submit(large);
  EXPECT_THAT(Later(60'000).recalls, IsEmpty());
  large.memory_bytes = 2 * kGiB;
  Submit(large);
  EXPECT_THAT(Later(60'000).recalls, SizeIs(1));
}

TEST_F(MemoryTest, TrainingAndInferenceDrawOnTheSameDevice) {
  Drain({Gpu(1, 24 * kGiB)});
  ASSERT_THAT(Submit(Train(20 * kGiB)).assignments, SizeIs(1));
  EXPECT_THAT(Submit(Predict(5 * kGiB)).assignments, IsEmpty());
  EXPECT_THAT(Submit(Predict(4 * kGiB)).assignments, SizeIs(1));
}

TEST_F(MemoryTest, EachTrainingHasTheContextOfARunnerOnTop) {
  Drain({Gpu(1, 24 * kGiB, kGiB)});
  EXPECT_EQ(Submit(Train(24 * kGiB)).replies.at(0).refusal.reason, "NO_SUCH_MEMORY");
  ASSERT_THAT(Submit(Train(23 * kGiB)).assignments, SizeIs(1));
  EXPECT_EQ(Promised(), 24 * kGiB);
}

TEST_F(MemoryTest, WhatHasNoKnownNeedWaitsForRoomForItsRunner) {
  CoreConfig config = TestConfig();
  config.limits = {{.job_class = JobClass::kTraining, .max_running = 2}};
  core_ = std::make_unique<Core>(config);
  Drain({Gpu(1, 24 * kGiB, kGiB)});
  const Effects first = Submit(Train(23 * kGiB));
  ASSERT_THAT(first.assignments, SizeIs(1));
  EXPECT_THAT(Submit(Train(0)).assignments, IsEmpty());
  EXPECT_EQ(Of(job_).reason, Reason::kMemory);
  EXPECT_THAT(Of(job_).message, HasSubstr("needs room for the context of a runner"));
  EXPECT_EQ(Promised(), 24 * kGiB);
  EXPECT_THAT(Ends(first.assignments[0], Success(0)).assignments, SizeIs(1));
}

TEST_F(MemoryTest, TheDeviceThatFitsBestIsTaken) {
  Drain({Gpu(1, 80 * kGiB), Gpu(2, 24 * kGiB), Gpu(3, 40 * kGiB)});
  EXPECT_EQ(Submit(Train(20 * kGiB)).assignments.at(0).session, 2u);
  EXPECT_EQ(Submit(Train(20 * kGiB)).assignments.at(0).session, 3u);
  EXPECT_EQ(Submit(Train(20 * kGiB)).assignments.at(0).session, 1u);
}

TEST_F(MemoryTest, AJobThatFitsNoDeviceIsRefusedWithTheNumbers) {
  Drain({Gpu(1, 24 * kGiB), Gpu(2, 40 * kGiB)});
  const Refusal refusal = Submit(Train(41 * kGiB)).replies.at(0).refusal;
  EXPECT_EQ(refusal.code, absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(refusal.message, HasSubstr("cuda:0 of w2"));
  EXPECT_THAT(refusal.message, HasSubstr("40.0 GiB"));
  EXPECT_THAT(Submit(Train(40 * kGiB)).assignments, SizeIs(1));
}

TEST_F(MemoryTest, CpuDevicesOfOneHostShareOneLedger) {
  EXPECT_TRUE(Drain({OnHost(1), OnHost(2)}).ledger_users_changed);
  EXPECT_THAT(core_->ledger_users(),
              ElementsAre(LedgerUser{"host", "w1"}, LedgerUser{"host", "w2"}));
  ASSERT_THAT(Submit(Train(10 * kGiB)).assignments, SizeIs(1));
  EXPECT_THAT(Submit(Train(7 * kGiB)).assignments, IsEmpty());
  EXPECT_THAT(Submit(Train(6 * kGiB)).assignments, SizeIs(1));
}

TEST_F(MemoryTest, AfterARestartASharedLedgerWaitsForWhoMayStillHoldSomething) {
  CoreConfig config = TestConfig();
  config.ledger_users = {{"host", "w1"}, {"host", "w2"}};
  core_ = std::make_unique<Core>(config);
  Drain({OnHost(1)});
  EXPECT_THAT(Submit(Train(kGiB)).assignments, IsEmpty());
  Drain({WorkerHeartbeat{1, 1}});
  EXPECT_THAT(Later(20 * kSecond).assignments, IsEmpty());
  Drain({WorkerHeartbeat{1, 2}});
  EXPECT_THAT(Later(12 * kSecond).assignments, SizeIs(1));
}

TEST_F(MemoryTest, ASharedLedgerPromisesAgainOnceAllItsUsersAreBack) {
  CoreConfig config = TestConfig();
  config.ledger_users = {{"host", "w1"}, {"host", "w2"}};
  core_ = std::make_unique<Core>(config);
  Drain({OnHost(1)});
  EXPECT_THAT(Submit(Train(kGiB)).assignments, IsEmpty());
  const Effects back = Drain({OnHost(2)});
  EXPECT_THAT(back.assignments, SizeIs(1));
  EXPECT_FALSE(back.ledger_users_changed);
}

TEST_F(MemoryTest, APeakOnceSeenIsWhatLikeWorkIsGranted) {
  Drain({Gpu(1, 24 * kGiB)});
  const Effects first = Submit(Train(0, "batch=8"));
  EXPECT_EQ(first.assignments.at(0).memory_bytes, 0);
  Ends(first.assignments[0], Success(10 * kGiB));
  const Effects second = Submit(Train(0, "batch=8"));
  EXPECT_EQ(second.assignments.at(0).memory_bytes, 23 * kGiB / 2);
  Ends(second.assignments[0], Success(10 * kGiB));
  EXPECT_EQ(Submit(Train(0, "batch=16")).assignments.at(0).memory_bytes, 0);
}

TEST_F(MemoryTest, WhatWasLearnedComesBackAfterARestart) {
  Drain({Gpu(1, 24 * kGiB)});
  Ends(Submit(Train(0, "batch=8")).assignments.at(0), Success(12 * kGiB));
  const PolicyState state = core_->SavePolicyState();
  core_ = std::make_unique<Core>(TestConfig());
  core_->RestorePolicyState(state, now_);
  Drain({Gpu(1, 24 * kGiB)});
  EXPECT_EQ(Submit(Train(0, "batch=8")).assignments.at(0).memory_bytes, 14'132 * (kGiB / 1024));
}

TEST_F(MemoryTest, TheMarginKeepsNoJobOffTheDeviceItsLikeRanOn) {
  Drain({Gpu(1, 24 * kGiB)});
  Ends(Submit(Train(0, "x")).assignments.at(0), Success(23 * kGiB));
  EXPECT_EQ(Submit(Train(0, "x")).assignments.at(0).memory_bytes, 24 * kGiB);
}

TEST_F(MemoryTest, ANeedLearnedWhileAJobWaitsCountsWhenItIsPlaced) {
  Drain({Gpu(1, 24 * kGiB), Gpu(2, 8 * kGiB)});
  const Effects first = Submit(Train(0, "x"));
  const Effects second = Submit(Train(0, "x"));
  ASSERT_THAT(second.assignments, SizeIs(1));
  Submit(Train(0, "x"));
  const JobId waits = job_;
  // What the first two needed is more than the small device has.
  const AssignAttempt& on_small =
      first.assignments[0].session == 2 ? first.assignments[0] : second.assignments[0];
  EXPECT_THAT(Ends(on_small, Success(10 * kGiB)).assignments, IsEmpty());
  EXPECT_EQ(Of(waits).reason, Reason::kMemory);
}

TEST_F(MemoryTest, OutOfMemoryIsTriedAgainWithHalfTheBatch) {
  Drain({Gpu(1, 24 * kGiB)});
  const Effects first = Submit(Train(4 * kGiB));
  const Effects second = Ends(first.assignments.at(0), RanOut(5 * kGiB, 64));
  ASSERT_THAT(second.assignments, SizeIs(1));
  EXPECT_EQ(second.assignments[0].batch_limit, 32u);
  EXPECT_EQ(Of(job_).attempts.at(0).outcome, Outcome::kOutOfMemory);
  EXPECT_EQ(Of(job_).failed_attempts, 0u);
}

TEST_F(MemoryTest, OutOfMemoryIsTriedAgainWithMoreOnALargerDevice) {
  Drain({Gpu(1, 8 * kGiB), Gpu(2, 24 * kGiB)});
  const Effects first = Submit(Predict(8 * kGiB));
  EXPECT_EQ(first.assignments.at(0).session, 1u);
  const Effects second = Ends(first.assignments[0], RanOut(9 * kGiB));
  ASSERT_THAT(second.assignments, SizeIs(1));
  EXPECT_EQ(second.assignments[0].session, 2u);
  EXPECT_EQ(second.assignments[0].memory_bytes, 12 * kGiB);
}

TEST_F(MemoryTest, OutOfMemoryOnTheWholeLargestDeviceFailsWithTheNumbers) {
  Drain({Gpu(1, 8 * kGiB)});
  const Effects first = Submit(Predict(8 * kGiB));
  EXPECT_THAT(Ends(first.assignments.at(0), RanOut(9 * kGiB)).assignments, IsEmpty());
  const JobImage job = Of(job_);
  EXPECT_EQ(job.state, JobState::kFailed);
  EXPECT_EQ(job.reason, Reason::kOutOfMemory);
  EXPECT_THAT(job.message, HasSubstr("needed at least 9.0 GiB"));
  EXPECT_THAT(job.message, HasSubstr("was granted 8.0 GiB on cuda:0 of w1"));
  EXPECT_THAT(job.message, HasSubstr("8.0 GiB of 8.0 GiB"));
}

TEST_F(MemoryTest, OutOfMemoryEndsThoughEachReportAsksForMore) {
  Drain({Gpu(1, 0)});  // It does not say what it has.
  Effects effects = Submit(Predict(kGiB));
  int attempts = 0;
  for (; !effects.assignments.empty(); ++attempts) {
    effects = Ends(effects.assignments[0], RanOut(kGiB));
  }
  EXPECT_EQ(attempts, 8);
  EXPECT_EQ(Of(job_).reason, Reason::kOutOfMemory);
}

TEST_F(MemoryTest, AJobNoKnownDeviceCouldHoldWaitsAWhileAndFailsWithTheNumbers) {
  Submit(Train(40 * kGiB));  // Accepted while nobody is there to tell.
  const JobId large = job_;
  Submit(Train(30 * kGiB));
  Drain({Gpu(1, 24 * kGiB)});
  Hold(590);
  EXPECT_EQ(Of(large).state, JobState::kQueued);
  EXPECT_EQ(Of(large).reason, Reason::kMemory);
  Hold(20);
  EXPECT_EQ(Of(large).state, JobState::kFailed);
  EXPECT_EQ(Of(large).reason, Reason::kOutOfMemory);
  EXPECT_THAT(Of(large).message, HasSubstr("needs 40.0 GiB"));
  EXPECT_THAT(Of(large).message, HasSubstr("cuda:0 of w1, can give it 24.0 GiB"));
  EXPECT_EQ(Of(job_).state, JobState::kFailed);
}

TEST_F(MemoryTest, ALargerDeviceThatComesInTimeTakesTheJob) {
  Submit(Train(40 * kGiB));
  Drain({Gpu(1, 24 * kGiB)});
  Hold(590);
  EXPECT_THAT(Drain({Gpu(2, 48 * kGiB)}).assignments, SizeIs(1));
}

TEST_F(MemoryTest, WhatLacksADeviceIsNotEndedWhileNoneIsKnown) {
  Submit(Train(40 * kGiB));
  Drain({Gpu(1, 24 * kGiB)});
  Hold(300);
  Drain({WorkerDetached{1}});
  Later(3600 * kSecond);  // Its lease is over: nothing is known of any device.
  EXPECT_EQ(Of(job_).state, JobState::kQueued);
  Drain({Gpu(1, 24 * kGiB)});
  Hold(590);
  EXPECT_EQ(Of(job_).state, JobState::kQueued) << "the wait begins anew";
  Hold(20);
  EXPECT_EQ(Of(job_).state, JobState::kFailed);
}

TEST_F(MemoryTest, AJobThatRanOutEndsWhenTheOneDeviceThatHadEnoughStaysAway) {
  Drain({Gpu(1, 8 * kGiB), Gpu(2, 24 * kGiB)});
  const Effects first = Submit(Predict(8 * kGiB));
  Drain({WorkerDetached{2}});
  Ends(first.assignments.at(0), RanOut(9 * kGiB));
  EXPECT_EQ(Of(job_).state, JobState::kQueued);
  Hold(700);
  EXPECT_EQ(Of(job_).state, JobState::kFailed);
  EXPECT_THAT(Of(job_).message, HasSubstr("needs 12.0 GiB"));
}

TEST_F(MemoryTest, ANeedLearnedToBeBeyondAllDevicesEndsThoseWhoWaitedWithTheNumbers) {
  Drain({Gpu(1, 24 * kGiB)});
  const Effects first = Submit(Train(0, "x"));
  Submit(Train(0, "x"));
  const Effects second = Ends(first.assignments.at(0), RanOut(58 * kGiB));
  ASSERT_THAT(second.assignments, SizeIs(1)) << "its own batch may fit where another's did not";
  EXPECT_EQ(second.assignments[0].memory_bytes, 24 * kGiB);
  Ends(second.assignments[0], RanOut(58 * kGiB));
  EXPECT_EQ(Of(job_).state, JobState::kFailed);
  EXPECT_THAT(Of(job_).message, HasSubstr("needed at least 58.0 GiB, was granted 24.0 GiB"));
}

// --- Gangs ---

TEST_F(MemoryTest, AGangTakesDevicesWhoseMemoryItCanHaveTogether) {
  WorkerAttached alone = OnHost(3);
  alone.host_figures.ledger_id = "other";
  Drain({OnHost(1), OnHost(2), alone});
  NewJob gang = Train(10 * kGiB);
  gang.device_count = 2;
  std::set<uint64_t> sessions;
  for (const AssignAttempt& member : Submit(gang).assignments) sessions.insert(member.session);
  EXPECT_THAT(sessions, ElementsAre(1, 3));
}

TEST_F(MemoryTest, AGangThatTooFewDevicesCouldHoldEndsThoughOneIsLargeEnough) {
  Drain({Gpu(1, 24 * kGiB), Gpu(2, 8 * kGiB), Gpu(3, 8 * kGiB)});
  NewJob gang = Train(10 * kGiB);
  gang.device_count = 2;
  Submit(gang);
  Drain({WorkerHeartbeat{2, 1}});
  for (int i = 0; i < 70; ++i) {
    for (uint64_t session = 1; session <= 3; ++session) Drain({WorkerHeartbeat{session, 2}});
    Later(10 * kSecond);
  }
  EXPECT_EQ(Of(job_).state, JobState::kFailed);
  EXPECT_THAT(Of(job_).message, HasSubstr("needs 10.0 GiB on each of 2 devices"));
  EXPECT_THAT(Of(job_).message, HasSubstr("can give it 8.0 GiB"));
}

TEST_F(MemoryTest, AGangOnDevicesOfOneLedgerHasRoomForAllOrWaits) {
  Drain({OnHost(1), OnHost(2)});
  NewJob gang = Train(9 * kGiB);
  gang.device_count = 2;
  EXPECT_THAT(Submit(gang).assignments, IsEmpty());
  Drain({CancelJob{.job = job_}});
  gang.memory_bytes = 8 * kGiB;
  EXPECT_THAT(Submit(gang).assignments, SizeIs(2));
}

// --- Serving budgets ---

WorkerAttached Serving(WorkerAttached hello, int64_t held_bytes = 0, int64_t budget_bytes = 0) {
  hello.serving = {{.device = "cuda:0", .held_bytes = held_bytes, .budget_bytes = budget_bytes}};
  return hello;
}

TEST_F(MemoryTest, AServingRunnerGetsItsShareOfTheDevice) {
  const Effects effects = Drain({Serving(Gpu(1, 24 * kGiB, kGiB))});
  ASSERT_THAT(effects.welcomes, SizeIs(1));
  ASSERT_THAT(effects.welcomes[0].serving_budgets, SizeIs(1));
  EXPECT_NEAR(effects.welcomes[0].serving_budgets[0].bytes, 6 * kGiB, 100);
  EXPECT_EQ(effects.welcomes[0].serving_budgets[0].sequence, 1u);
  EXPECT_NEAR(Promised(), 7 * kGiB, 100);  // And its context.
}

TEST_F(MemoryTest, WhatModelsAreAskedToFreeIsPromisedOnlyOnceItIsFree) {
  Drain({Serving(Gpu(1, 24 * kGiB))});
  const Effects asked = Submit(Train(20 * kGiB));
  EXPECT_THAT(asked.assignments, IsEmpty());
  ASSERT_THAT(asked.serving_budgets, SizeIs(1));
  const ServingBudget budget = asked.serving_budgets[0].budgets.at(0);
  EXPECT_NEAR(budget.bytes, 4 * kGiB, 100);
  // An answer to an earlier budget, or none, frees nothing.
  const ServingState state{.device = "cuda:0", .sequence = 1, .held_bytes = kGiB};
  EXPECT_THAT(Drain({WorkerServing{1, {state}}}).assignments, IsEmpty());
  EXPECT_THAT(Later(kSecond).serving_budgets, IsEmpty());
  const Effects freed = Drain({WorkerServing{
      1, {{.device = "cuda:0", .sequence = budget.sequence, .held_bytes = 3 * kGiB}}}});
  EXPECT_THAT(freed.assignments, SizeIs(1));
}

TEST_F(MemoryTest, ModelsOnAllItsDevicesGiveWayToAGang) {
  Drain({Serving(Gpu(1, 24 * kGiB)), Serving(Gpu(2, 24 * kGiB))});
  NewJob gang = Train(20 * kGiB);
  gang.device_count = 2;
  std::set<uint64_t> asked;
  std::vector<Event> answers;
  Effects effects = Submit(gang);
  for (int i = 0; i < 3 && effects.assignments.empty(); ++i) {
    for (const auto& one : effects.serving_budgets) {
      asked.insert(one.session);
      answers.push_back(WorkerServing{
          one.session, {{.device = "cuda:0", .sequence = one.budgets.at(0).sequence}}});
    }
    Drain(std::move(answers));
    answers.clear();
    effects = Later(kSecond);
  }
  EXPECT_THAT(asked, ElementsAre(1, 2));
  EXPECT_EQ(Of(job_).reason, Reason::kAssigned);
}

TEST_F(MemoryTest, ModelsOfAllWhoShareAHostGiveWayTogether) {
  const auto serving = [](uint64_t session) {
    WorkerAttached hello = OnHost(session);
    hello.serving = {{.device = "cpu"}};
    return hello;
  };
  Drain({serving(1), serving(2)});
  const Effects asked = Submit(Train(15 * kGiB));  // Of 16, with a quarter for models at each.
  ASSERT_THAT(asked.serving_budgets, SizeIs(2));
  std::vector<Event> answers;
  for (const auto& one : asked.serving_budgets) {
    answers.push_back(
        WorkerServing{one.session, {{.device = "cpu", .sequence = one.budgets.at(0).sequence}}});
  }
  EXPECT_THAT(Drain(std::move(answers)).assignments, SizeIs(1));
}

TEST_F(MemoryTest, WhatCannotBeEvictedStaysPromised) {
  Drain({Serving(Gpu(1, 24 * kGiB))});
  const Effects asked = Submit(Train(20 * kGiB));
  const uint64_t sequence = asked.serving_budgets.at(0).budgets.at(0).sequence;
  const ServingState busy{
      .device = "cuda:0", .sequence = sequence, .held_bytes = 5 * kGiB, .busy_bytes = 5 * kGiB};
  EXPECT_THAT(Drain({WorkerServing{1, {busy}}}).assignments, IsEmpty());
  EXPECT_EQ(Of(job_).reason, Reason::kMemory);
  const ServingState idle{.device = "cuda:0", .sequence = sequence, .held_bytes = 4 * kGiB};
  EXPECT_THAT(Drain({WorkerServing{1, {idle}}}).assignments, SizeIs(1));
}

TEST_F(MemoryTest, ABudgetGrowsBackWhenNobodyWaitsForMemory) {
  Drain({Serving(Gpu(1, 24 * kGiB))});
  const Effects asked = Submit(Train(20 * kGiB));
  const ServingBudget budget = asked.serving_budgets.at(0).budgets.at(0);
  const Effects freed =
      Drain({WorkerServing{1, {{.device = "cuda:0", .sequence = budget.sequence}}}});
  Ends(freed.assignments.at(0), Success(0));
  Drain({WorkerHeartbeat{1, 1}});
  Later(20 * kSecond);
  Drain({WorkerHeartbeat{1, 2}});
  const Effects later = Later(20 * kSecond);
  ASSERT_THAT(later.serving_budgets, SizeIs(1));
  EXPECT_NEAR(later.serving_budgets[0].budgets.at(0).bytes, 6 * kGiB, 100);
}

TEST_F(MemoryTest, AReattachedRunnerIsBelievedWhatItMayComeToHold) {
  Drain({Serving(Gpu(1, 24 * kGiB), 2 * kGiB, 12 * kGiB)});
  EXPECT_EQ(Promised(), 12 * kGiB);
}

TEST_F(MemoryTest, OutOfMemoryAsksIdleModelsOfTheDeviceToGiveWay) {
  Drain({Serving(Gpu(1, 24 * kGiB))});
  const Effects first = Submit(Predict(16 * kGiB));
  const Effects second = Ends(first.assignments.at(0), RanOut(17 * kGiB));
  EXPECT_THAT(second.assignments, IsEmpty());
  ASSERT_THAT(second.serving_budgets, SizeIs(1));
  const ServingBudget budget = second.serving_budgets[0].budgets.at(0);
  EXPECT_EQ(budget.bytes, 0);
  const Effects freed =
      Drain({WorkerServing{1, {{.device = "cuda:0", .sequence = budget.sequence}}}});
  ASSERT_THAT(freed.assignments, SizeIs(1));
  EXPECT_EQ(freed.assignments[0].memory_bytes, 24 * kGiB);
}

}  // namespace
}  // namespace switchyard::scheduler
