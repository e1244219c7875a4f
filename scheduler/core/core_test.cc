#include "scheduler/core/core.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace switchyard::scheduler {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr uint16_t kNoop = 32;
constexpr uint16_t kTrain = 33;
constexpr int64_t kSecond = 1'000'000;

CoreConfig TestConfig() {
  CoreConfig config;
  config.ahead_jobs = 256;
  config.kinds = {{.name = "noop",
                   .number = kNoop,
                   .job_class = JobClass::kInference,
                   .default_timeout_us = 3600 * kSecond,
                   .assumed_run_time_us = 10},
                  {.name = "train",
                   .number = kTrain,
                   .job_class = JobClass::kTraining,
                   .checkpoints = true,
                   .registers_model = true}};
  return config;
}

// Drives a core as the engine does and remembers the jobs as the store would.
class CoreTest : public testing::Test {
 protected:
  void Make(CoreConfig config = TestConfig()) { core_ = std::make_unique<Core>(std::move(config)); }

  Effects Drain(std::vector<Event> events) {
    if (core_ == nullptr) Make();
    Effects effects;
    for (const Event& event : events) core_->Apply(event, now_, effects);
    core_->Advance(now_, effects);
    writes_ = 0;
    core_->TakeChanges([&](const Change& change) {
      writes_ += change.store;
      if (change.kind == Change::kDeleted) {
        stored_.erase(change.image->id);
      } else {
        last_[change.image->id] = *change.image;
        if (change.store) stored_[change.image->id] = *change.image;
      }
    });
    return effects;
  }
  Effects Drain(Event event) { return Drain(std::vector<Event>{std::move(event)}); }
  Effects Later(int64_t us) {
    now_.wall_us += us;
    now_.boot_us += us;
    return Drain(std::vector<Event>{});
  }

  static SubmitJobs Submit(std::vector<NewJob> jobs, const std::string& tenant = "default") {
    return {.tag = 1, .tenant = tenant, .jobs = std::move(jobs)};
  }
  JobId SubmitOne(NewJob job, const std::string& tenant = "default") {
    return Drain(Submit({std::move(job)}, tenant)).replies.at(0).job;
  }
  static WorkerAttached Hello(uint64_t session, const std::string& worker = "w1",
                              const std::string& incarnation = "a") {
    return {.session = session,
            .worker = worker,
            .incarnation = incarnation,
            .devices = {{.device = "cpu"}},
            .kinds = {"noop", "train"}};
  }
  static WorkerReports Says(uint64_t session, AttemptRef ref,
                            decltype(AttemptReport::report) report) {
    return {.session = session, .reports = {{ref, std::move(report)}}};
  }
  static Finished Done(Outcome outcome = Outcome::kSucceeded) {
    return {.outcome = outcome, .result = "r", .start_us = 1, .run_us = 10};
  }
  JobImage Of(JobId job) {
    JobImage image;
    return core_->Image(job, image) ? image : last_[job];
  }
  // What the engine adds to a command on a job that has ended.
  std::shared_ptr<const JobImage> Ended(JobId job) {
    return core_->IsLive(job) ? nullptr : std::make_shared<JobImage>(stored_.at(job));
  }

  Now now_{.wall_us = 1'700'000'000 * kSecond, .boot_us = 3600 * kSecond};
  std::unique_ptr<Core> core_;
  std::map<JobId, JobImage> stored_;
  std::map<JobId, JobImage> last_;
  int writes_ = 0;
};

TEST_F(CoreTest, AJobIsQueuedHandedOutRunAndEnded) {
  const JobId job = SubmitOne({.kind = kNoop, .priority = 3});
  EXPECT_EQ(Of(job).state, JobState::kQueued);
  EXPECT_EQ(Of(job).reason, Reason::kNoDevice);

  const Effects attached = Drain(Hello(1));
  ASSERT_THAT(attached.assignments, SizeIs(1));
  const AttemptRef ref = attached.assignments[0].ref;
  EXPECT_EQ(ref.job, job);
  EXPECT_EQ(ref.attempt, 1u);
  EXPECT_EQ(Of(job).reason, Reason::kAssigned);

  Drain(Says(
      1, ref,
      Started{
          .time_us = now_.wall_us, .device = "cpu", .phase = Phase::kWorking, .progress = 0.5}));
  EXPECT_EQ(writes_, 0);
  EXPECT_EQ(Of(job).state, JobState::kRunning);
  EXPECT_EQ(Of(job).progress, 0.5);

  const Effects ended = Drain(Says(1, ref, Done()));
  EXPECT_THAT(ended.acknowledgements, SizeIs(1));
  EXPECT_EQ(stored_[job].state, JobState::kSucceeded);
  EXPECT_EQ(stored_[job].result, "r");
  EXPECT_EQ(stored_[job].attempts.at(0).outcome, Outcome::kSucceeded);
  EXPECT_EQ(stored_[job].change_count, 3u);
  EXPECT_FALSE(core_->IsLive(job));
}

TEST_F(CoreTest, InsertAndDispatchInOneDrainAreOneWrite) {
  Drain(Hello(1));
  SubmitOne({.kind = kNoop});
  EXPECT_EQ(writes_, 1);
}

TEST_F(CoreTest, BetterPriorityGoesFirst) {
  SubmitOne({.kind = kTrain, .priority = 5});
  const JobId urgent = SubmitOne({.kind = kTrain, .priority = 1});
  const Effects effects = Drain(Hello(1));
  ASSERT_THAT(effects.assignments, SizeIs(2));
  EXPECT_EQ(effects.assignments[0].ref.job, urgent);
  EXPECT_LT(effects.assignments[0].rank, effects.assignments[1].rank);
}

TEST_F(CoreTest, AShortJobPassesALongOneOfItsTenantButNotForEver) {
  CoreConfig config = TestConfig();
  config.ahead_jobs = 0;
  config.lease_us = 24 * 3600 * kSecond;
  Make(config);
  for (int i = 0; i < 2; ++i) SubmitOne({.kind = kTrain});
  const auto runs = Drain(Hello(1)).assignments;
  ASSERT_THAT(runs, SizeIs(2));
  const JobId hours = SubmitOne({.kind = kTrain, .timeout_us = 4 * 3600 * kSecond});
  const JobId minutes = SubmitOne({.kind = kTrain, .timeout_us = 240 * kSecond});
  const auto first = Drain(Says(1, runs[0].ref, Done())).assignments;
  ASSERT_THAT(first, SizeIs(1));
  EXPECT_EQ(first[0].ref.job, minutes);
  Later(5 * 3600 * kSecond);
  SubmitOne({.kind = kTrain, .timeout_us = 240 * kSecond});
  const auto second = Drain(Says(1, first[0].ref, Done())).assignments;
  ASSERT_THAT(second, SizeIs(1));
  EXPECT_EQ(second[0].ref.job, hours);
}

TEST_F(CoreTest, TenantsOfOnePriorityTakeTurns) {
  for (int i = 0; i < 2; ++i) SubmitOne({.kind = kTrain}, "a");
  const JobId other = SubmitOne({.kind = kTrain}, "b");
  const Effects effects = Drain(Hello(1));
  ASSERT_THAT(effects.assignments, SizeIs(2));
  EXPECT_EQ(effects.assignments[1].ref.job, other);
}

TEST_F(CoreTest, WaitingRaisesAJobOverLaterMoreUrgentOnes) {
  const JobId old = SubmitOne({.kind = kTrain, .priority = 6});
  Later(3 * 300 * kSecond);
  for (int i = 0; i < 4; ++i) SubmitOne({.kind = kTrain, .priority = 4});
  EXPECT_EQ(Drain(Hello(1)).assignments.at(0).ref.job, old);
}

TEST_F(CoreTest, NoMoreThanTheLimitIsHandedOutOfWorkOfUnknownLength) {
  for (int i = 0; i < 5; ++i) SubmitOne({.kind = kTrain});
  EXPECT_THAT(Drain(Hello(1)).assignments, SizeIs(2));
}

TEST_F(CoreTest, ShortWorkIsAssignedAheadUpToTheWindow) {
  Drain(Submit(std::vector<NewJob>(1000, {.kind = kNoop})));
  EXPECT_THAT(Drain(Hello(1)).assignments, SizeIs(4 + 256));
}

TEST_F(CoreTest, ALimitChangesAtOnceAndIsPushed) {
  for (int i = 0; i < 5; ++i) SubmitOne({.kind = kTrain});
  Drain(Hello(1));
  const Effects effects =
      Drain(UpdateLimits{.tag = 9, .set = {{"w1", "cpu", JobClass::kTraining, 4}}});
  EXPECT_TRUE(effects.limits_changed);
  EXPECT_THAT(effects.limits, SizeIs(1));
  EXPECT_THAT(effects.assignments, SizeIs(2));
}

TEST_F(CoreTest, ADeviceThatDoesNotExistIsRefusedNamingThoseThatDo) {
  EXPECT_TRUE(Drain(Submit({{.kind = kTrain, .device = "cuda:7"}})).replies.at(0).ok());
  Drain(Hello(1));
  const Effects effects = Drain(Submit({{.kind = kTrain, .device = "cuda:7"}}));
  EXPECT_EQ(effects.replies.at(0).refusal.code, absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(effects.replies.at(0).refusal.message, HasSubstr("cpu (w1)"));
}

TEST_F(CoreTest, AFullQueueRefusesAllOfABatchWithARetryHint) {
  CoreConfig config = TestConfig();
  config.queue_capacity = 3;
  Make(config);
  SubmitOne({.kind = kTrain});
  const Effects effects = Drain(Submit(std::vector<NewJob>(3, {.kind = kTrain})));
  EXPECT_EQ(effects.replies.at(0).refusal.code, absl::StatusCode::kResourceExhausted);
  EXPECT_GT(effects.replies.at(0).refusal.retry_delay_us, 0);
  EXPECT_EQ(core_->Queue().queued, 1u);
}

TEST_F(CoreTest, ValidateOnlyStoresNothing) {
  SubmitJobs submit = Submit({{.kind = kNoop}});
  submit.validate_only = true;
  EXPECT_EQ(Drain(submit).replies.at(0).job, 0u);
  EXPECT_EQ(writes_, 0);
}

TEST_F(CoreTest, AQueuedJobIsCancelledAtOnce) {
  const JobId job = SubmitOne({.kind = kTrain});
  Drain(CancelJob{.tag = 2, .job = job});
  EXPECT_EQ(stored_[job].state, JobState::kCancelled);
  EXPECT_THAT(Drain(Hello(1)).assignments, IsEmpty());
}

TEST_F(CoreTest, ACancelHoldsWhileTheWorkerIsAway) {
  const JobId job = SubmitOne({.kind = kTrain});
  const AttemptRef ref = Drain(Hello(1)).assignments.at(0).ref;
  Drain(Says(1, ref, Started{}));
  Drain(WorkerDetached{.session = 1});
  EXPECT_THAT(Drain(CancelJob{.tag = 2, .job = job}).cancels, IsEmpty());
  EXPECT_EQ(stored_[job].state, JobState::kCancelling);
  WorkerAttached back = Hello(2);
  back.attempts = {{ref, Started{}}};
  const Effects effects = Drain(back);
  ASSERT_THAT(effects.cancels, SizeIs(1));
  Drain(Says(2, ref, Done(Outcome::kCancelled)));
  EXPECT_EQ(stored_[job].state, JobState::kCancelled);
}

TEST_F(CoreTest, ACancelIsKeptThoughTheWorkWasDoneMeanwhile) {
  const JobId job = SubmitOne({.kind = kTrain});
  const AttemptRef ref = Drain(Hello(1)).assignments.at(0).ref;
  Drain(CancelJob{.tag = 2, .job = job});
  EXPECT_THAT(Drain(Says(1, ref, Done())).registrations, IsEmpty());
  EXPECT_EQ(stored_[job].state, JobState::kCancelled);
  EXPECT_EQ(stored_[job].result, "");
}

TEST_F(CoreTest, AStopKeepsWhatWasReached) {
  const JobId job = SubmitOne({.kind = kTrain});
  const AttemptRef ref = Drain(Hello(1)).assignments.at(0).ref;
  Drain(Says(1, ref, Started{}));
  const Effects effects = Drain(CancelJob{.tag = 2, .job = job, .checkpoint_first = true});
  EXPECT_TRUE(effects.cancels.at(0).checkpoint_first);
  Drain(Says(1, ref, CheckpointStored{.artifact = {.name = "checkpoint", .sha256 = "abc"}}));
  Drain(Says(1, ref, Done(Outcome::kCancelled)));
  EXPECT_EQ(stored_[job].state, JobState::kCancelled);
  EXPECT_EQ(stored_[job].reason, Reason::kStopped);
  EXPECT_EQ(stored_[job].result, "r");
  EXPECT_EQ(stored_[job].checkpoint, "abc");
}

TEST_F(CoreTest, KeepsTheNewestSegmentsOfAnAttemptAndThoseOfEarlierOnes) {
  const JobId job = SubmitOne({.kind = kTrain});
  const AttemptRef ref = Drain(Hello(1)).assignments.at(0).ref;
  const auto segment = [](const char* sha256) {
    return OutputArtifact{.name = kEventsOutput, .sha256 = sha256};
  };
  const auto hashes = [&] {
    std::string all;
    for (const OutputArtifact& output : stored_[job].outputs) all += output.sha256;
    return all;
  };
  Drain(Says(1, ref, Started{}));
  Drain(Says(1, ref, EventsStored{.artifacts = {segment("a"), segment("b")}}));
  EXPECT_EQ(hashes(), "ab");
  Drain(Says(1, ref, EventsStored{.artifacts = {segment("c")}}));
  EXPECT_EQ(hashes(), "c");
  Finished failed = Done(Outcome::kFailed);
  failed.permanent = true;
  failed.outputs = {segment("c"), segment("d")};
  Drain(Says(1, ref, failed));
  EXPECT_EQ(hashes(), "cd");
  const Effects next = Drain(RetryJob{.tag = 3, .job = job, .ended = Ended(job)});
  ASSERT_THAT(next.assignments, SizeIs(1));
  const AttemptRef second = next.assignments[0].ref;
  Drain(Says(1, second, EventsStored{.artifacts = {segment("e")}}));
  EXPECT_EQ(hashes(), "cde");
  std::vector<OutputArtifact> many(kEventSegmentsKept - 1, segment("x"));
  many.push_back(segment("y"));
  Drain(Says(1, second, EventsStored{.artifacts = many}));
  EXPECT_EQ(stored_[job].outputs.size(), kEventSegmentsKept);
  EXPECT_EQ(stored_[job].outputs.back().sha256, "y");
}

TEST_F(CoreTest, ARetriedJobResumesFromItsCheckpoint) {
  const JobId job = SubmitOne({.kind = kTrain});
  const AttemptRef ref = Drain(Hello(1)).assignments.at(0).ref;
  Drain(Says(1, ref, CheckpointStored{.artifact = {.name = "checkpoint", .sha256 = "abc"}}));
  Finished failed = Done(Outcome::kFailed);
  failed.permanent = true;
  Drain(Says(1, ref, failed));
  EXPECT_EQ(stored_[job].state, JobState::kFailed);
  const Effects effects = Drain(RetryJob{.tag = 3, .job = job, .ended = Ended(job)});
  ASSERT_THAT(effects.assignments, SizeIs(1));
  EXPECT_EQ(effects.assignments[0].resume_from, "abc");
  EXPECT_EQ(effects.assignments[0].ref.attempt, 2u);
}

TEST_F(CoreTest, OnlyEndedJobsThatDidNotSucceedAreRetried) {
  const JobId job = SubmitOne({.kind = kTrain});
  EXPECT_FALSE(Drain(RetryJob{.tag = 3, .job = job}).replies.at(0).ok());
  const AttemptRef ref = Drain(Hello(1)).assignments.at(0).ref;
  const Effects ended = Drain(Says(1, ref, Done()));
  EXPECT_THAT(ended.registrations, ElementsAre(job));
  EXPECT_EQ(Drain(RetryJob{.tag = 3, .job = job, .ended = Ended(job)}).replies.at(0).refusal.code,
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(Drain(RetryJob{.tag = 3, .job = 77}).replies.at(0).refusal.code,
            absl::StatusCode::kNotFound);
}

TEST_F(CoreTest, DeletingNeedsAnEnd) {
  const JobId job = SubmitOne({.kind = kTrain});
  EXPECT_EQ(Drain(DeleteJob{.tag = 3, .job = job}).replies.at(0).refusal.code,
            absl::StatusCode::kFailedPrecondition);
  Drain(CancelJob{.tag = 2, .job = job});
  const auto image = Ended(job);
  EXPECT_TRUE(Drain(DeleteJob{.tag = 3, .job = job, .ended = image}).replies.at(0).ok());
  EXPECT_FALSE(stored_.contains(job));
  const Effects twice = Drain({DeleteJob{.tag = 4, .job = job, .ended = image},
                               DeleteJob{.tag = 5, .job = job, .ended = image}});
  EXPECT_EQ(twice.replies.at(1).refusal.code, absl::StatusCode::kNotFound);
}

TEST_F(CoreTest, AReportWithAnOldFencingNumberHasNoEffectAndIsAcknowledged) {
  const JobId job = SubmitOne({.kind = kNoop});
  const AttemptRef old = Drain(Hello(1)).assignments.at(0).ref;
  Drain(WorkerDetached{.session = 1});
  Later(40 * kSecond);
  Drain(Hello(8, "w2"));
  const Effects late = Drain({Hello(9), Says(9, old, Done())});
  EXPECT_THAT(late.acknowledgements, SizeIs(1));
  EXPECT_NE(Of(job).state, JobState::kSucceeded);
  AttemptRef forged = old;
  forged.fencing.counter += 100;
  EXPECT_THAT(Drain(Says(9, forged, Started{})).cancels, SizeIs(1));
}

TEST_F(CoreTest, ASilentWorkersAttemptsAreOverAfterALeaseAndAMargin) {
  const JobId job = SubmitOne({.kind = kTrain});
  const AttemptRef ref = Drain(Hello(1)).assignments.at(0).ref;
  Drain(Says(1, ref, Started{}));
  Later(30 * kSecond);
  EXPECT_EQ(Of(job).state, JobState::kRunning);
  const Effects effects = Later(kSecond);
  EXPECT_THAT(effects.closed_sessions, ElementsAre(1u));
  EXPECT_EQ(Of(job).state, JobState::kQueued);
  EXPECT_EQ(Of(job).attempts.at(0).outcome, Outcome::kWorkerLost);
  EXPECT_THAT(core_->Fleet(), IsEmpty());
}

TEST_F(CoreTest, HeartbeatsRenewTheLease) {
  const JobId job = SubmitOne({.kind = kTrain});
  const AttemptRef ref = Drain(Hello(1)).assignments.at(0).ref;
  Drain(Says(1, ref, Started{}));
  for (int i = 1; i <= 20; ++i) {
    Later(5 * kSecond);
    const Effects effects =
        Drain(WorkerHeartbeat{.session = 1, .sequence = static_cast<uint64_t>(i)});
    EXPECT_THAT(effects.heartbeat_acks, SizeIs(1));
  }
  EXPECT_EQ(Of(job).attempt_count, 1u);
}

TEST_F(CoreTest, AnAttemptMissingFromItsWorkersAttachIsOverAtOnce) {
  const JobId job = SubmitOne({.kind = kTrain});
  Drain(Hello(1));
  const Effects effects = Drain(Hello(2));
  ASSERT_THAT(effects.assignments, SizeIs(1));
  EXPECT_EQ(effects.assignments[0].ref.attempt, 2u);
  EXPECT_EQ(Of(job).attempts.at(0).outcome, Outcome::kReturned);
}

TEST_F(CoreTest, ADrainingWorkerGetsNothingNewAndWhatItReturnsWaitsForAnother) {
  const JobId first = SubmitOne({.kind = kTrain});
  const AttemptRef ref = Drain(Hello(1)).assignments.at(0).ref;
  Drain(Says(1, ref, Started{}));
  Drain(WorkerDraining{.session = 1});
  SubmitOne({.kind = kNoop});
  EXPECT_THAT(Drain(Says(1, ref, Returned{})).assignments, testing::IsEmpty());
  EXPECT_EQ(Of(first).state, JobState::kQueued);
  EXPECT_EQ(Of(first).attempts.at(0).outcome, Outcome::kReturned);
  EXPECT_THAT(Drain(Hello(2, "w2")).assignments, SizeIs(2));
}

TEST_F(CoreTest, ANewIncarnationEndsTheOldAttemptsWhateverItClaims) {
  const JobId job = SubmitOne({.kind = kTrain});
  const AttemptRef ref = Drain(Hello(1)).assignments.at(0).ref;
  Drain(Says(1, ref, Started{}));
  WorkerAttached reborn = Hello(2, "w1", "b");
  reborn.attempts = {{ref, Started{}}};
  const Effects effects = Drain(reborn);
  EXPECT_THAT(effects.welcomes.at(0).keep, IsEmpty());
  EXPECT_EQ(Of(job).attempts.at(0).outcome, Outcome::kWorkerLost);
}

TEST_F(CoreTest, AReattachedWorkerGoesOnWithItsAttempts) {
  const JobId job = SubmitOne({.kind = kTrain});
  const AttemptRef ref = Drain(Hello(1)).assignments.at(0).ref;
  Drain(WorkerDetached{.session = 1});
  WorkerAttached back = Hello(2);
  back.attempts = {{ref, Started{}}};
  EXPECT_THAT(Drain(back).welcomes.at(0).keep, ElementsAre(ref));
  Drain(Says(2, ref, Done()));
  EXPECT_EQ(stored_[job].state, JobState::kSucceeded);
}

TEST_F(CoreTest, ASecondAttachEndsTheFirst) {
  Drain(Hello(1));
  EXPECT_THAT(Drain(Hello(2)).closed_sessions, ElementsAre(1u));
  EXPECT_THAT(Drain(WorkerHeartbeat{.session = 1}).heartbeat_acks, IsEmpty());
}

TEST_F(CoreTest, AfterARestartARecordedAttemptGetsOneFullLease) {
  const JobId job = SubmitOne({.kind = kTrain});
  const AttemptRef ref = Drain(Hello(1)).assignments.at(0).ref;
  CoreConfig config = TestConfig();
  config.epoch = 2;
  Make(config);
  core_->Restore(stored_[job], now_);
  EXPECT_THAT(Later(29 * kSecond).assignments, IsEmpty());
  WorkerAttached back = Hello(2);
  back.attempts = {{ref, Started{}}};
  EXPECT_THAT(Drain(back).welcomes.at(0).keep, ElementsAre(ref));
  EXPECT_EQ(Of(job).state, JobState::kRunning);
  Later(29 * kSecond);
  Drain(Says(2, ref, Done()));
  EXPECT_EQ(stored_[job].state, JobState::kSucceeded);
}

TEST_F(CoreTest, AfterARestartAnAbsentWorkersAttemptIsQueuedAgain) {
  const JobId job = SubmitOne({.kind = kTrain});
  Drain(Hello(1));
  CoreConfig config = TestConfig();
  config.epoch = 2;
  Make(config);
  core_->Restore(stored_[job], now_);
  Drain(Hello(2, "w2"));
  const Effects effects = Later(31 * kSecond);
  EXPECT_EQ(Of(job).attempt_count, 1u);
  EXPECT_EQ(Of(job).state, JobState::kQueued);
}

TEST_F(CoreTest, NotBeforeAndExpireTimeAreKept) {
  const JobId later = SubmitOne({.kind = kTrain, .not_before_us = now_.wall_us + 10 * kSecond});
  const JobId never = SubmitOne({.kind = kTrain,
                                 .not_before_us = now_.wall_us + 100 * kSecond,
                                 .expire_us = now_.wall_us + 20 * kSecond});
  EXPECT_EQ(Of(later).reason, Reason::kNotBefore);
  EXPECT_THAT(Drain(Hello(1)).assignments, IsEmpty());
  EXPECT_EQ(core_->NextWakeup().wall_us, now_.wall_us + 10 * kSecond);
  EXPECT_THAT(Later(10 * kSecond).assignments, SizeIs(1));
  Later(10 * kSecond);
  EXPECT_EQ(stored_[never].state, JobState::kExpired);
}

TEST_F(CoreTest, AnAttemptThatRunsTooLongIsCancelledAndEndsTheJob) {
  const JobId job = SubmitOne({.kind = kTrain, .timeout_us = 5 * kSecond});
  const AttemptRef ref = Drain(Hello(1)).assignments.at(0).ref;
  Drain(Says(1, ref, Started{}));
  EXPECT_THAT(Later(5 * kSecond).cancels, SizeIs(1));
  Drain(Says(1, ref, Done(Outcome::kCancelled)));
  EXPECT_EQ(stored_[job].state, JobState::kFailed);
  EXPECT_EQ(stored_[job].reason, Reason::kTimedOut);
  EXPECT_EQ(stored_[job].attempts.at(0).outcome, Outcome::kTimedOut);
}

TEST_F(CoreTest, AFailedAttemptIsRepeatedAfterABackoff) {
  const JobId job = SubmitOne({.kind = kTrain});
  const AttemptRef ref = Drain(Hello(1)).assignments.at(0).ref;
  Drain(Says(1, ref, Done(Outcome::kFailed)));
  EXPECT_EQ(Of(job).reason, Reason::kBackoff);
  EXPECT_THAT(Later(2 * kSecond).assignments, SizeIs(1));
}

TEST_F(CoreTest, AJobThatLosesThreeRunnersIsPoison) {
  const JobId job = SubmitOne({.kind = kTrain});
  Effects effects = Drain(Hello(1));
  for (int i = 0; i < 3; ++i) {
    const AttemptRef ref = effects.assignments.at(0).ref;
    Drain(Says(1, ref, Done(Outcome::kRunnerLost)));
    Drain(WorkerHeartbeat{.session = 1});
    effects = Later(5 * kSecond);
  }
  EXPECT_EQ(stored_[job].state, JobState::kFailed);
  EXPECT_EQ(stored_[job].reason, Reason::kPoison);
}

TEST_F(CoreTest, HeldWorkBehindBusySlotsIsRecalledAndPlacedAnew) {
  Drain(Submit(std::vector<NewJob>(6, {.kind = kNoop})));
  const auto assignments = Drain(Hello(1)).assignments;
  ASSERT_THAT(assignments, SizeIs(6));
  for (int i = 0; i < 4; ++i) Drain(Says(1, assignments[i].ref, Started{}));
  Drain(Hello(2, "w2"));
  const Effects effects = Later(kSecond);
  ASSERT_THAT(effects.recalls, SizeIs(2));
  EXPECT_THAT(Drain(Says(1, effects.recalls[0].ref, Returned{})).assignments, SizeIs(1));
}

TEST_F(CoreTest, WorseHeldWorkIsRecalledForABetterJobThatWaits) {
  Drain(Hello(1));
  Drain(Submit(std::vector<NewJob>(300, {.kind = kNoop, .priority = 8})));
  const JobId urgent = SubmitOne({.kind = kNoop, .priority = 1});
  EXPECT_THAT(Later(50'000).recalls, SizeIs(1));
  EXPECT_EQ(Of(urgent).reason, Reason::kLimit);
}

TEST_F(CoreTest, ALateHelloOfAStreamThatWasGivenUpEndsNothing) {
  SubmitOne({.kind = kTrain});
  const AttemptRef ref = Drain(Hello(3, "w1")).assignments.at(0).ref;
  Drain(Says(3, ref, Started{}));
  const Effects late = Drain(Hello(2, "w1"));
  EXPECT_THAT(late.closed_sessions, ElementsAre(2));
  EXPECT_THAT(late.assignments, IsEmpty());
  EXPECT_THAT(Drain(Hello(1, "w1", "earlier")).closed_sessions, ElementsAre(1));
  EXPECT_EQ(Of(ref.job).state, JobState::kRunning);
}

TEST_F(CoreTest, AHelloOfAStreamFromBeforeTheCoreWasMadeIsRefused) {
  CoreConfig config = TestConfig();
  config.first_session = 5;
  Make(std::move(config));
  EXPECT_THAT(Drain(Hello(4, "w1")).closed_sessions, ElementsAre(4));
  EXPECT_THAT(Drain(Hello(5, "w1")).welcomes, SizeIs(1));
}

TEST_F(CoreTest, PriorityCanBeChangedWhileAJobWaits) {
  SubmitOne({.kind = kTrain, .priority = 4});
  const JobId raised = SubmitOne({.kind = kTrain, .priority = 9});
  Drain(UpdateJob{.tag = 4, .job = raised, .priority = 2});
  EXPECT_EQ(Drain(Hello(1)).assignments.at(0).ref.job, raised);
}

TEST_F(CoreTest, AWorkerWithTheModelIsPreferred) {
  Drain({Hello(1, "w1"), Hello(2, "w2"), Hello(3, "w3")});
  const uint64_t first =
      Drain(Submit({{.kind = kNoop, .model_key = "m:1"}})).assignments.at(0).session;
  const uint64_t second =
      Drain(Submit({{.kind = kNoop, .model_key = "m:1"}})).assignments.at(0).session;
  const uint64_t third = Drain(Submit({{.kind = kNoop}})).assignments.at(0).session;
  EXPECT_EQ(first, second);
  EXPECT_NE(first, third);
}

}  // namespace
}  // namespace switchyard::scheduler
