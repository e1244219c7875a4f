// Attempts on several devices, what is kept for them, and who makes room.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "scheduler/core/core.h"

namespace switchyard::scheduler {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr uint16_t kShort = 32;
constexpr uint16_t kTrain = 33;
constexpr int64_t kSecond = 1'000'000;

CoreConfig TestConfig() {
  CoreConfig config;
  config.kinds = {{.name = "short",
                   .number = kShort,
                   .job_class = JobClass::kTraining,
                   .default_timeout_us = 3600 * kSecond,
                   .assumed_run_time_us = 5 * kSecond},
                  {.name = "train",
                   .number = kTrain,
                   .job_class = JobClass::kTraining,
                   .default_timeout_us = kNever,
                   .checkpoints = true}};
  return config;
}

// Workers with GPUs, one training at a time on each.
class GangTest : public testing::Test {
 protected:
  GangTest() { Make(); }
  void Make(CoreConfig config = TestConfig()) { core_ = std::make_unique<Core>(std::move(config)); }

  Effects Drain(std::vector<Event> events) {
    Effects effects;
    for (const Event& event : events) core_->Apply(event, now_, effects);
    core_->Advance(now_, effects);
    core_->TakeChanges([&](const Change& change) {
      last_[change.image->id] = *change.image;
      if (change.store) stored_[change.image->id] = *change.image;
    });
    for (const AssignAttempt& each : effects.assignments) assigned_.push_back(each);
    return effects;
  }
  Effects Drain(Event event) { return Drain(std::vector<Event>{std::move(event)}); }
  // Heartbeats of all workers are in time.
  Effects Later(int64_t us) {
    now_.wall_us += us;
    now_.boot_us += us;
    std::vector<Event> beats;
    for (const uint64_t session : sessions_) beats.push_back(WorkerHeartbeat{session, 1});
    return Drain(beats);
  }
  Effects Attach(uint64_t session, int gpus, const std::string& host = "",
                 const std::string& incarnation = "a", std::vector<AttemptReport> attempts = {}) {
    WorkerAttached hello{.session = session,
                         .worker = absl::StrCat("w", session % 100),
                         .incarnation = incarnation,
                         .host = host,
                         .kinds = {"short", "train"},
                         .attempts = std::move(attempts)};
    for (int i = 0; i < gpus; ++i) hello.devices.push_back({.device = absl::StrCat("cuda:", i)});
    sessions_.insert(session);
    return Drain(hello);
  }
  JobId Submit(NewJob job) {
    return Drain(SubmitJobs{.tag = 1, .tenant = "t", .jobs = {std::move(job)}}).replies.at(0).job;
  }
  // Assignments of a job's last attempt.
  std::vector<AssignAttempt> Of(JobId job) {
    std::vector<AssignAttempt> of;
    for (const AssignAttempt& each : assigned_) {
      if (each.ref.job != job) continue;
      if (!of.empty() && of[0].ref.attempt != each.ref.attempt) of.clear();
      of.push_back(each);
    }
    return of;
  }
  Effects Say(const AssignAttempt& to, decltype(AttemptReport::report) report) {
    return Drain(WorkerReports{.session = to.session, .reports = {{to.ref, std::move(report)}}});
  }
  void Start(JobId job) {
    for (const AssignAttempt& each : Of(job)) Say(each, Started{.time_us = now_.wall_us});
  }
  void Finish(JobId job, int64_t run_us = 1) {
    for (const AssignAttempt& each : Of(job)) {
      Say(each, Finished{.outcome = Outcome::kSucceeded,
                         .result = each.device,
                         .start_us = 1,
                         .run_us = run_us});
    }
  }
  JobImage Image(JobId job) {
    JobImage image;
    return core_->Image(job, image) ? image : last_[job];
  }
  static size_t Devices(const std::vector<AssignAttempt>& assignments) {
    size_t devices = 0;
    for (const AssignAttempt& each : assignments) devices += each.gang.devices.size();
    return devices;
  }

  Now now_{.wall_us = 1'700'000'000 * kSecond, .boot_us = 3600 * kSecond};
  std::unique_ptr<Core> core_;
  std::set<uint64_t> sessions_;
  std::vector<AssignAttempt> assigned_;
  std::map<JobId, JobImage> last_;
  std::map<JobId, JobImage> stored_;
};

// --- All or none ---

TEST_F(GangTest, AGangWaitsHoldingNothingUntilAllItsDevicesAreFree) {
  Attach(1, 2);
  const JobId gang = Submit({.kind = kTrain, .device_count = 4});
  EXPECT_THAT(Of(gang), IsEmpty());
  EXPECT_EQ(Image(gang).reason, Reason::kGang);
  Attach(2, 2);
  ASSERT_THAT(Of(gang), SizeIs(2));
  EXPECT_EQ(Devices(Of(gang)), 4u);
}

TEST_F(GangTest, MembersAreToldTheirPlaceAndWhereToMeet) {
  Attach(1, 2, "alpha");
  Attach(2, 1, "beta");
  const JobId gang = Submit({.kind = kTrain, .device_count = 3});
  const auto members = Of(gang);
  ASSERT_THAT(members, SizeIs(2));
  EXPECT_EQ(members[0].gang.size, 3u);
  EXPECT_EQ(members[0].gang.members, 2u);
  EXPECT_EQ(members[0].gang.rank, 0u);
  EXPECT_EQ(members[0].gang.member, 0u);
  EXPECT_THAT(members[0].gang.devices, ElementsAre("cuda:0", "cuda:1"));
  EXPECT_EQ(members[1].gang.rank, 2u);
  EXPECT_EQ(members[1].gang.member, 1u);
  EXPECT_THAT(members[1].gang.devices, ElementsAre("cuda:0"));
  EXPECT_EQ(members[0].gang.rendezvous, "alpha:29500");
  EXPECT_EQ(members[1].gang.rendezvous, "alpha:29500");
  EXPECT_EQ(members[0].ref, members[1].ref);
}

TEST_F(GangTest, OneHostIsPreferredAndTheOneThatFitsBest) {
  Attach(1, 8, "big");
  Attach(2, 2, "small");
  Attach(3, 2, "small");
  const JobId gang = Submit({.kind = kTrain, .device_count = 4});
  ASSERT_THAT(Of(gang), SizeIs(2));
  EXPECT_THAT(Of(gang)[0].gang.rendezvous, HasSubstr("small"));
}

TEST_F(GangTest, ItRunsWhenEveryMemberHasStarted) {
  Attach(1, 2);
  Attach(2, 2);
  const JobId gang = Submit({.kind = kTrain, .device_count = 4});
  Say(Of(gang)[0], Started{.time_us = now_.wall_us});
  EXPECT_EQ(Image(gang).state, JobState::kQueued);
  Say(Of(gang)[1], Started{.time_us = now_.wall_us});
  EXPECT_EQ(Image(gang).state, JobState::kRunning);
}

TEST_F(GangTest, TheResultIsThatOfMemberZeroAndOutputsAreThoseOfAll) {
  Attach(1, 1);
  Attach(2, 1);
  const JobId gang = Submit({.kind = kTrain, .device_count = 2});
  Start(gang);
  Say(Of(gang)[1], Finished{.outcome = Outcome::kSucceeded,
                            .result = "one",
                            .outputs = {{.name = "curves.csv", .sha256 = "b"}},
                            .start_us = 1});
  EXPECT_EQ(Image(gang).state, JobState::kRunning);
  Say(Of(gang)[0], Finished{.outcome = Outcome::kSucceeded,
                            .result = "zero",
                            .outputs = {{.name = "curves.csv", .sha256 = "a"}},
                            .start_us = 1});
  const JobImage image = Image(gang);
  EXPECT_EQ(image.state, JobState::kSucceeded);
  EXPECT_EQ(image.result, "zero");
  ASSERT_THAT(image.outputs, SizeIs(2));
  EXPECT_EQ(image.outputs[0].name, "curves.csv.member-1");
  EXPECT_EQ(image.outputs[1].name, "curves.csv");
  ASSERT_THAT(image.attempts, SizeIs(1));
  ASSERT_THAT(image.attempts[0].members, SizeIs(2));
  EXPECT_EQ(image.attempts[0].members[1].outcome, Outcome::kSucceeded);
}

TEST_F(GangTest, AMemberThatFailsEndsTheOthersAndTheAttempt) {
  Attach(1, 1);
  Attach(2, 1);
  const JobId gang = Submit({.kind = kTrain, .device_count = 2});
  Start(gang);
  const auto members = Of(gang);
  const Effects effects =
      Say(members[1], Finished{.outcome = Outcome::kFailed, .error_message = "no", .start_us = 1});
  ASSERT_THAT(effects.cancels, SizeIs(1));
  EXPECT_EQ(effects.cancels[0].session, members[0].session);
  EXPECT_FALSE(effects.cancels[0].checkpoint_first);
  EXPECT_EQ(Image(gang).state, JobState::kRunning);
  Say(members[0], Finished{.outcome = Outcome::kCancelled, .start_us = 1});
  EXPECT_EQ(Image(gang).state, JobState::kQueued);
  EXPECT_EQ(Image(gang).reason, Reason::kBackoff);
  EXPECT_EQ(Image(gang).failed_attempts, 1u);
  EXPECT_EQ(Image(gang).attempts.back().outcome, Outcome::kFailed);
}

TEST_F(GangTest, AMemberLostWithItsWorkerEndsTheOthers) {
  Attach(1, 1);
  Attach(2, 1);
  const JobId gang = Submit({.kind = kTrain, .device_count = 2});
  Start(gang);
  const auto members = Of(gang);
  sessions_.erase(2);
  Effects effects;
  for (int i = 0; i < 5 && effects.cancels.empty(); ++i) effects = Later(10 * kSecond);
  ASSERT_THAT(effects.cancels, SizeIs(1));
  EXPECT_EQ(effects.cancels[0].session, 1u);
  Say(members[0], Finished{.outcome = Outcome::kCancelled, .start_us = 1});
  EXPECT_EQ(Image(gang).attempts.back().outcome, Outcome::kWorkerLost);
  EXPECT_EQ(Image(gang).lost_attempts, 1u);
}

TEST_F(GangTest, AMemberMissingFromItsWorkersAttachEndsTheAttempt) {
  Attach(1, 1);
  Attach(2, 1);
  const JobId gang = Submit({.kind = kTrain, .device_count = 2});
  Start(gang);
  const Effects effects = Attach(102, 1);
  ASSERT_THAT(effects.cancels, SizeIs(1));
  EXPECT_EQ(effects.cancels[0].session, 1u);
}

TEST_F(GangTest, ACancelGoesToEveryMember) {
  Attach(1, 1);
  Attach(2, 1);
  const JobId gang = Submit({.kind = kTrain, .device_count = 2});
  Start(gang);
  EXPECT_THAT(Drain(CancelJob{.tag = 2, .job = gang}).cancels, SizeIs(2));
  for (const auto& member : Of(gang)) {
    EXPECT_EQ(Image(gang).state, JobState::kCancelling);
    Say(member, Finished{.outcome = Outcome::kCancelled, .start_us = 1});
  }
  EXPECT_EQ(Image(gang).state, JobState::kCancelled);
}

TEST_F(GangTest, AGangComesBackFromTheStoreWithItsMembers) {
  Attach(1, 1);
  Attach(2, 2);
  const JobId gang = Submit({.kind = kTrain, .device_count = 3});
  Start(gang);
  const auto members = Of(gang);
  ASSERT_THAT(members, SizeIs(2));
  Say(members[1], Finished{.outcome = Outcome::kSucceeded, .start_us = 1});
  CoreConfig config = TestConfig();
  config.epoch = 2;
  Make(config);
  core_->Restore(stored_.at(gang), now_);
  const uint64_t session = members[0].session;
  Attach(session, members[0].gang.devices.size(), "", "a",
         {{members[0].ref, Started{.time_us = now_.wall_us}}});
  EXPECT_EQ(Image(gang).state, JobState::kRunning);
  Say(members[0], Finished{.outcome = Outcome::kSucceeded, .result = "r", .start_us = 1});
  EXPECT_EQ(Image(gang).state, JobState::kSucceeded);
}

TEST_F(GangTest, AGangLargerThanAllWorkersIsRefusedWithTheNumbers) {
  Attach(1, 2);
  Later(40 * kSecond);
  SubmitJobs submit{.tag = 1, .tenant = "t", .jobs = {{.kind = kTrain, .device_count = 3}}};
  submit.validate_only = true;
  const Reply reply = Drain(submit).replies.at(0);
  EXPECT_EQ(reply.refusal.code, absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(reply.refusal.reason, "GANG_TOO_LARGE");
  EXPECT_THAT(reply.refusal.message, HasSubstr("3"));
  EXPECT_THAT(reply.refusal.message, HasSubstr("2"));
}

TEST_F(GangTest, WithNobodyAttachedAnyGangIsAccepted) {
  EXPECT_NE(Submit({.kind = kTrain, .device_count = 1000}), 0u);
}

// --- What is kept for it ---

TEST_F(GangTest, LongerWorkDoesNotTakeWhatAGangWaitsFor) {
  Attach(1, 2);
  const JobId running = Submit({.kind = kShort});
  Start(running);
  const JobId gang = Submit({.kind = kTrain, .device_count = 2});
  const JobId late = Submit({.kind = kTrain});
  EXPECT_THAT(Of(late), IsEmpty());
  EXPECT_EQ(Image(late).reason, Reason::kReserved);
  Later(kSecond);
  Finish(running);
  EXPECT_THAT(Of(gang), SizeIs(1));
  EXPECT_EQ(Devices(Of(gang)), 2u);
}

TEST_F(GangTest, WorkThatIsDoneBeforeTheGangStartsRunsMeanwhile) {
  Attach(1, 2);
  const JobId running = Submit({.kind = kTrain, .timeout_us = 100 * kSecond});
  Start(running);
  Submit({.kind = kTrain, .device_count = 2});
  const JobId brief = Submit({.kind = kShort});
  EXPECT_THAT(Of(brief), SizeIs(1));
  Start(brief);
  Later(kSecond);
  Finish(brief);
  Later(96 * kSecond);
  // Three seconds are left of the hundred: five would move the gang's start.
  const JobId too_long = Submit({.kind = kShort});
  EXPECT_THAT(Of(too_long), IsEmpty());
}

TEST_F(GangTest, MoreUrgentWorkGoesFirst) {
  Attach(1, 2);
  Start(Submit({.kind = kShort}));
  Submit({.kind = kTrain, .priority = 5, .device_count = 2});
  const JobId urgent = Submit({.kind = kTrain, .priority = 1});
  EXPECT_THAT(Of(urgent), SizeIs(1));
}

TEST_F(GangTest, AGangTheWorkersCannotHoldKeepsNothingFromOthers) {
  Submit({.kind = kTrain, .device_count = 3});
  Attach(1, 2);
  EXPECT_THAT(Of(Submit({.kind = kTrain})), SizeIs(1));
}

TEST_F(GangTest, NothingIsRecalledFromPlacesTheGangWillNotUse) {
  CoreConfig config = TestConfig();
  config.kinds[0].assumed_run_time_us = 10;
  Make(std::move(config));
  Attach(1, 2);
  WorkerAttached cpu{.session = 2, .worker = "w2", .incarnation = "a", .kinds = {"short", "train"}};
  cpu.devices.push_back({.device = "cpu"});
  sessions_.insert(2);
  Drain(cpu);
  for (int i = 0; i < 2; ++i) Start(Submit({.kind = kTrain, .device = "cuda"}));
  for (int i = 0; i < 6; ++i) Submit({.kind = kShort, .priority = 9, .device = "cpu"});
  const JobId gang = Submit({.kind = kTrain, .priority = 4, .device_count = 2});
  EXPECT_THAT(Later(60'000).recalls, IsEmpty());
  EXPECT_THAT(Of(gang), IsEmpty());
}

TEST_F(GangTest, WhatIsKeptIsGivenUpWithTheGang) {
  Attach(1, 2);
  Start(Submit({.kind = kShort}));
  const JobId gang = Submit({.kind = kTrain, .device_count = 2});
  const JobId other = Submit({.kind = kTrain});
  EXPECT_THAT(Of(other), IsEmpty());
  Drain(CancelJob{.tag = 2, .job = gang});
  EXPECT_THAT(Of(other), SizeIs(1));
}

// --- Making room ---

TEST_F(GangTest, MoreUrgentWorkTakesADeviceOnNotice) {
  Attach(1, 1);
  const JobId low = Submit({.kind = kTrain, .priority = 8});
  Start(low);
  Later(61 * kSecond);
  const JobId urgent = Submit({.kind = kTrain, .priority = 2});
  const Effects effects = Later(kSecond);
  ASSERT_THAT(effects.cancels, SizeIs(1));
  EXPECT_TRUE(effects.cancels[0].preempt);
  EXPECT_TRUE(effects.cancels[0].checkpoint_first);
  EXPECT_EQ(effects.cancels[0].grace_us, 30 * kSecond);
  const AssignAttempt first = Of(low)[0];
  Say(first, CheckpointStored{.artifact = {.name = "checkpoint", .sha256 = "c"}});
  Say(first, Returned());
  EXPECT_EQ(Image(low).state, JobState::kQueued);
  EXPECT_EQ(Image(low).reason, Reason::kPreempted);
  EXPECT_EQ(Image(low).attempts.back().outcome, Outcome::kPreempted);
  EXPECT_EQ(Image(low).preempted_attempts, 1u);
  EXPECT_EQ(Image(low).failed_attempts, 0u);
  ASSERT_THAT(Of(urgent), SizeIs(1));
  Start(urgent);
  Finish(urgent);
  ASSERT_THAT(Of(low), SizeIs(1));
  EXPECT_EQ(Of(low)[0].ref.attempt, 2u);
  EXPECT_EQ(Of(low)[0].resume_from, "c");
}

TEST_F(GangTest, NothingIsPreemptedInItsMinimumRunTime) {
  Attach(1, 1);
  const JobId low = Submit({.kind = kTrain, .priority = 9});
  Start(low);
  Submit({.kind = kTrain, .priority = 1});
  Later(50 * kSecond);
  EXPECT_THAT(Later(9 * kSecond).cancels, IsEmpty());
  EXPECT_THAT(Later(kSecond).cancels, SizeIs(1));
}

TEST_F(GangTest, AHardCancelFollowsTheNoticeWhenTheGraceIsOver) {
  Attach(1, 1);
  const JobId low = Submit({.kind = kTrain, .priority = 9});
  Start(low);
  Later(61 * kSecond);
  Submit({.kind = kTrain, .priority = 1});
  EXPECT_THAT(Later(kSecond).cancels, SizeIs(1));
  EXPECT_THAT(Later(29 * kSecond).cancels, IsEmpty());
  const Effects hard = Later(2 * kSecond);
  ASSERT_THAT(hard.cancels, SizeIs(1));
  EXPECT_FALSE(hard.cancels[0].preempt);
  EXPECT_FALSE(hard.cancels[0].checkpoint_first);
  Say(Of(low)[0], Finished{.outcome = Outcome::kCancelled, .start_us = 1});
  EXPECT_EQ(Image(low).attempts.back().outcome, Outcome::kPreempted);
  EXPECT_EQ(Image(low).state, JobState::kQueued);
}

TEST_F(GangTest, OnlyMuchMoreUrgentWorkPreempts) {
  Attach(1, 1);
  Start(Submit({.kind = kTrain, .priority = 5}));
  Later(61 * kSecond);
  Submit({.kind = kTrain, .priority = 4});
  EXPECT_THAT(Later(kSecond).cancels, IsEmpty());
}

TEST_F(GangTest, WorkThatMayNotBePreemptedIsLeftAlone) {
  Attach(1, 1);
  Start(Submit({.kind = kTrain, .priority = 9, .preemptible = false}));
  Later(61 * kSecond);
  Submit({.kind = kTrain, .priority = 1});
  EXPECT_THAT(Later(kSecond).cancels, IsEmpty());
}

TEST_F(GangTest, TheVictimIsTheOneThatSavedItsWorkLast) {
  Attach(1, 2);
  const JobId saved = Submit({.kind = kTrain, .priority = 8});
  const JobId unsaved = Submit({.kind = kTrain, .priority = 9});
  Start(saved);
  Start(unsaved);
  Later(61 * kSecond);
  Say(Of(saved)[0], CheckpointStored{.artifact = {.name = "checkpoint", .sha256 = "c"}});
  Submit({.kind = kTrain, .priority = 1});
  const Effects effects = Later(kSecond);
  ASSERT_THAT(effects.cancels, SizeIs(1));
  EXPECT_EQ(effects.cancels[0].ref.job, saved);
}

TEST_F(GangTest, AGangPreemptsAsManyAsItNeedsOrNobody) {
  Attach(1, 3);
  std::vector<JobId> low;
  for (int i = 0; i < 2; ++i) low.push_back(Submit({.kind = kTrain, .priority = 9}));
  const JobId firm = Submit({.kind = kTrain, .priority = 9, .preemptible = false});
  for (const JobId job : low) Start(job);
  Start(firm);
  Later(61 * kSecond);
  const JobId all = Submit({.kind = kTrain, .priority = 1, .device_count = 3});
  EXPECT_THAT(Later(kSecond).cancels, IsEmpty());
  Drain(CancelJob{.tag = 2, .job = all});
  Submit({.kind = kTrain, .priority = 1, .device_count = 2});
  EXPECT_THAT(Later(kSecond).cancels, SizeIs(2));
}

TEST_F(GangTest, AGangIsPreemptedAsAWhole) {
  Attach(1, 1);
  Attach(2, 1);
  const JobId gang = Submit({.kind = kTrain, .priority = 9, .device_count = 2});
  Start(gang);
  Later(61 * kSecond);
  const JobId urgent = Submit({.kind = kTrain, .priority = 1});
  EXPECT_THAT(Later(kSecond).cancels, SizeIs(2));
  const auto members = Of(gang);
  Say(members[0], CheckpointStored{.artifact = {.name = "checkpoint", .sha256 = "c"}});
  Say(members[0], Returned());
  Say(members[1], Returned());
  EXPECT_EQ(Image(gang).reason, Reason::kPreempted);
  EXPECT_EQ(Image(gang).checkpoint, "c");
  EXPECT_THAT(Of(urgent), SizeIs(1));
}

TEST_F(GangTest, PreemptionsNeverFailAJob) {
  Attach(1, 1);
  const JobId low = Submit({.kind = kTrain, .priority = 9});
  for (int i = 1; i <= 20; ++i) {
    Start(low);
    Later((61 * kSecond) << std::min(i - 1, 10));  // It is left alone for longer each time.
    const JobId urgent = Submit({.kind = kShort, .priority = 1});
    Later(kSecond);
    Say(Of(low)[0], Returned());
    ASSERT_EQ(Image(low).preempted_attempts, static_cast<uint32_t>(i));
    Start(urgent);
    Finish(urgent);
    Later(kSecond);
  }
  EXPECT_EQ(Image(low).state, JobState::kQueued);
}

// --- Deadlines ---

TEST_F(GangTest, ExpiredWorkNeverReachesADevice) {
  const JobId job = Submit({.kind = kTrain, .expire_us = now_.wall_us + 10 * kSecond});
  now_.wall_us += 10 * kSecond;
  now_.boot_us += 10 * kSecond;
  Attach(1, 1);
  EXPECT_THAT(Of(job), IsEmpty());
  EXPECT_EQ(Image(job).state, JobState::kExpired);
}

TEST_F(GangTest, WhatWasHandedOutIsCalledOffWhenItExpires) {
  Attach(1, 1);
  const JobId job = Submit({.kind = kTrain, .expire_us = now_.wall_us + 10 * kSecond});
  ASSERT_THAT(Of(job), SizeIs(1));
  const Effects effects = Later(10 * kSecond);
  ASSERT_THAT(effects.cancels, SizeIs(1));
  EXPECT_FALSE(effects.cancels[0].checkpoint_first);
  Say(Of(job)[0], Finished{.outcome = Outcome::kCancelled});
  EXPECT_EQ(Image(job).state, JobState::kExpired);
}

TEST_F(GangTest, OneLargerThanItsTenantOrKeyMayUseIsRefusedWithTheNumbers) {
  CoreConfig config = TestConfig();
  config.tenants = {{.name = "t", .max_running = 3}};
  Make(std::move(config));
  Attach(1, 4);
  SubmitJobs submit{.tag = 1, .tenant = "t", .jobs = {{.kind = kTrain, .device_count = 4}}};
  const Refusal refusal = Drain(submit).replies.at(0).refusal;
  EXPECT_EQ(refusal.code, absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(refusal.reason, "GANG_TOO_LARGE");
  EXPECT_THAT(refusal.message, HasSubstr("device_count is 4, but tenant `t` may use at most 3"));
  Drain(SetKey{.tag = 1, .patch = {.id = "k", .tenant = "t", .max_running = 2}});
  submit.jobs[0].device_count = 3;
  submit.jobs[0].key = "k";
  EXPECT_THAT(Drain(submit).replies.at(0).refusal.message,
              HasSubstr("device_count is 3, but the key `k` may use at most 2"));
  submit.jobs[0].key = "";
  EXPECT_EQ(Drain(submit).replies.at(0).refusal.code, absl::StatusCode::kOk);
}

// Both of a tenant's devices are always taken by jobs of one, each as soon as it is free.
TEST_F(GangTest, SmallerWorkOfItsTenantPassesItForAboutOneAgeingInterval) {
  CoreConfig config = TestConfig();
  config.tenants = {{.name = "t", .max_running = 2}};
  config.ageing_interval_us = 60 * kSecond;
  config.ahead_jobs = 0;
  Make(std::move(config));
  Attach(1, 4);
  std::vector<JobId> running = {Submit({.kind = kShort}), Submit({.kind = kShort})};
  for (const JobId job : running) Start(job);
  const JobId gang = Submit({.kind = kShort, .device_count = 2});
  int64_t waited_us = 0;
  std::vector<JobId> waiting;
  for (int i = 0; Of(gang).empty() && i < 100; ++i) {
    waiting.push_back(Submit({.kind = kShort}));
    Later(5 * kSecond);
    waited_us += 5 * kSecond;
    if (waited_us < 60 * kSecond) {
      EXPECT_TRUE(Of(gang).empty());
    }
    if (!running.empty()) {
      Finish(running.front(), 10 * kSecond);
      running.erase(running.begin());
    }
    for (const JobId job : std::exchange(waiting, {})) {
      const bool starts = !Of(job).empty();
      if (starts) Start(job);
      (starts ? running : waiting).push_back(job);
    }
  }
  EXPECT_FALSE(Of(gang).empty());
  EXPECT_LE(waited_us, 80 * kSecond);
  // Nothing of the tenant waits for longer than the gang needs.
  Start(gang);
  Finish(gang);
  ASSERT_FALSE(waiting.empty());
  EXPECT_FALSE(Of(waiting.front()).empty());
}

TEST_F(GangTest, RoomKeptUnderACapIsToldAndLeavesTheRestOfIt) {
  CoreConfig config = TestConfig();
  config.tenants = {{.name = "t", .max_running = 3}};
  config.ageing_interval_us = 60 * kSecond;
  config.ahead_jobs = 0;
  Make(std::move(config));
  Attach(1, 4);
  const JobId first = Submit({.kind = kTrain});
  const JobId second = Submit({.kind = kTrain});
  Start(first);
  Start(second);
  const JobId gang = Submit({.kind = kTrain, .device_count = 2});
  for (int i = 0; i < 8; ++i) Later(10 * kSecond);
  const JobId small = Submit({.kind = kTrain});
  Explanation explanation;
  ASSERT_TRUE(core_->Explain(small, now_, explanation));
  EXPECT_EQ(explanation.reason, Reason::kQuota);
  EXPECT_EQ(explanation.cap_kept_for, 2u);
  // More urgent work is not held back by it.
  EXPECT_FALSE(Of(Submit({.kind = kTrain, .priority = 1})).empty());
  EXPECT_TRUE(Of(gang).empty());
}

// A cap is not kept for a gang that could not start if it had all of it.
TEST_F(GangTest, NoRoomIsKeptForAGangTheFleetCannotHold) {
  CoreConfig config = TestConfig();
  config.tenants = {{.name = "t", .max_running = 3}};
  config.ageing_interval_us = 60 * kSecond;
  config.ahead_jobs = 0;
  Make(std::move(config));
  Attach(1, 2);
  Attach(2, 1);
  const JobId first = Submit({.kind = kTrain});
  Start(first);
  Submit({.kind = kTrain, .device_count = 3});
  Drain(WorkerDetached{.session = 2});
  sessions_.erase(2);
  for (int i = 0; i < 20; ++i) Later(10 * kSecond);
  EXPECT_FALSE(Of(Submit({.kind = kTrain})).empty());
}

}  // namespace
}  // namespace switchyard::scheduler
