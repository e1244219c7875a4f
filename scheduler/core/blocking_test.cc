// Jobs that wait for jobs, through the whole core.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "scheduler/core/core.h"
#include "scheduler/core/dependencies.h"

namespace switchyard::scheduler {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr uint16_t kNoop = 32;

// A core with one worker that does what it is handed when told to. Rows are kept as the store
// would, so that the core can be made anew from them.
class Blocking : public testing::Test {
 protected:
  Blocking() { Make(); }

  void Make() {
    CoreConfig config;
    config.epoch = ++epoch_;
    config.last_job_id = stored_.empty() ? 0 : stored_.rbegin()->first;
    config.kinds = {{.name = "noop", .number = kNoop, .assumed_run_time_us = 10}};
    config.bugs = bugs_;
    config.limits = limits_;
    config.ahead_jobs = ahead_jobs_;
    core_ = std::make_unique<Core>(std::move(config));
    for (const auto& [id, image] : stored_) {
      if (!HasEnded(image.state)) core_->Restore(image, now_);
    }
    held_.clear();
    Drain(WorkerAttached{.session = ++session_,
                         .worker = "w",
                         .incarnation = std::to_string(session_),
                         .devices = {{.device = "cpu"}},
                         .kinds = {"noop"}});
  }

  Effects Drain(Event event) {
    Effects effects;
    now_.wall_us += 1000;
    now_.boot_us += 1000;
    core_->Apply(event, now_, effects);
    core_->Advance(now_, effects);
    core_->TakeChanges([&](const Change& change) {
      if (change.kind == Change::kDeleted) {
        stored_.erase(change.image->id);
      } else if (change.store) {
        stored_[change.image->id] = *change.image;
      }
    });
    for (const AssignAttempt& each : effects.assignments) held_[each.ref.job] = each.ref;
    return effects;
  }

  static NewJob After(std::vector<NewJob::Dependency> depends_on) {
    NewJob job{.kind = kNoop};
    job.depends_on = std::move(depends_on);
    return job;
  }
  static NewJob::Dependency InSubmit(JobId index, uint32_t count = 1) {
    return {{index, count}, /*in_submit=*/true};
  }
  Reply Submit(std::vector<NewJob> jobs) {
    SubmitJobs submit{.tag = 1, .tenant = "t", .jobs = std::move(jobs)};
    for (const auto& [id, image] : stored_) submit.upstream[id] = image.state;
    return Drain(std::move(submit)).replies.at(0);
  }

  bool Runs(JobId job) const { return held_.count(job) != 0; }
  void Finish(JobId job, Outcome outcome = Outcome::kSucceeded) {
    ASSERT_TRUE(Runs(job)) << FormatJobId(job);
    Finished done{.outcome = outcome, .result = "r", .start_us = 1, .permanent = true};
    const AttemptRef ref = held_[job];
    held_.erase(job);
    Drain(WorkerReports{.session = session_, .reports = {{ref, std::move(done)}}});
  }
  // As the engine does it: with the stored image, then whoever was cancelled because of it.
  Reply Retry(JobId job) {
    RetryJob retry{.tag = 2, .job = job, .ended = Stored(job)};
    ReviveDependents revive;
    std::set<JobId> wanted;
    Collect(job, wanted);
    for (const JobId each : wanted) revive.images.push_back(Stored(each));
    for (const auto& [id, image] : stored_) retry.upstream[id] = revive.upstream[id] = image.state;
    const Reply reply = Drain(std::move(retry)).replies.at(0);
    if (reply.ok()) Drain(std::move(revive));
    return reply;
  }
  void Collect(JobId job, std::set<JobId>& into) {
    for (const JobRange& range : stored_[job].links.dependents) {
      for (JobId id = range.first; id < range.first + range.count; ++id) {
        if (stored_.count(id) != 0 && into.insert(id).second) Collect(id, into);
      }
    }
  }
  std::shared_ptr<const JobImage> Stored(JobId job) {
    return core_->IsLive(job) ? nullptr : std::make_shared<JobImage>(stored_.at(job));
  }
  const JobImage& Of(JobId job) { return stored_.at(job); }

  // Runs everything, one after the other where the limits say so, and counts how often the model
  // changes from one job to the next.
  int RunAndCountSwaps() {
    int swaps = -1;
    std::string model;
    while (!held_.empty()) {
      const JobId job = held_.begin()->first;
      swaps += Of(job).model_key != model;
      model = Of(job).model_key;
      Finish(job);
    }
    return swaps;
  }

  PlantedBugs bugs_;
  std::vector<LimitRule> limits_;
  uint32_t ahead_jobs_ = 1024;
  uint64_t epoch_ = 0;
  uint64_t session_ = 0;
  Now now_{.wall_us = 1'700'000'000'000'000, .boot_us = 3'600'000'000};
  std::unique_ptr<Core> core_;
  std::map<JobId, JobImage> stored_;
  std::map<JobId, AttemptRef> held_;
};

TEST_F(Blocking, AJobRunsOnceAllItDependsOnHaveSucceeded) {
  const JobId first = Submit({After({}), After({}), After({InSubmit(0), InSubmit(1)})}).job;
  EXPECT_EQ(Of(first + 2).state, JobState::kBlocked);
  EXPECT_EQ(Of(first + 2).reason, Reason::kDependencies);
  Finish(first);
  EXPECT_EQ(Of(first + 2).state, JobState::kBlocked);
  EXPECT_FALSE(Runs(first + 2));
  Finish(first + 1);
  EXPECT_TRUE(Runs(first + 2));
  EXPECT_EQ(Of(first + 2).state, JobState::kQueued);
  Finish(first + 2);
  EXPECT_EQ(Of(first + 2).state, JobState::kSucceeded);
}

TEST_F(Blocking, WhatHasSucceededBeforeIsNotWaitedFor) {
  const JobId done = Submit({After({})}).job;
  Finish(done);
  const JobId job = Submit({After({{{done, 1}}})}).job;
  EXPECT_TRUE(Runs(job));
}

TEST_F(Blocking, AFailureEndsAllThatFollowsAndIsNamed) {
  const JobId first = Submit({After({}), After({InSubmit(0)}), After({InSubmit(1)})}).job;
  Finish(first, Outcome::kFailed);
  for (const JobId job : {first + 1, first + 2}) {
    EXPECT_EQ(Of(job).state, JobState::kCancelled);
    EXPECT_EQ(Of(job).reason, Reason::kUpstreamFailed);
    EXPECT_THAT(Of(job).message, HasSubstr(FormatJobId(job - 1)));
  }
  EXPECT_EQ(core_->Queue().queued, 0u);
}

TEST_F(Blocking, ARetryOfTheFailedLetsTheOthersWaitAgain) {
  const JobId first = Submit({After({}), After({InSubmit(0)}), After({InSubmit(1)})}).job;
  Finish(first, Outcome::kFailed);
  ASSERT_TRUE(Retry(first).ok());
  EXPECT_EQ(Of(first + 1).state, JobState::kBlocked);
  EXPECT_EQ(Of(first + 2).state, JobState::kBlocked);
  Finish(first);
  Finish(first + 1);
  Finish(first + 2);
  EXPECT_EQ(Of(first + 2).state, JobState::kSucceeded);
}

TEST_F(Blocking, OneOfTwoFailuresRetriedIsNotEnough) {
  const JobId first = Submit({After({}), After({}), After({InSubmit(0), InSubmit(1)})}).job;
  Finish(first, Outcome::kFailed);
  Finish(first + 1, Outcome::kFailed);
  ASSERT_TRUE(Retry(first).ok());
  EXPECT_EQ(Of(first + 2).state, JobState::kCancelled);
  ASSERT_TRUE(Retry(first + 1).ok());
  EXPECT_EQ(Of(first + 2).state, JobState::kBlocked);
  Finish(first);
  Finish(first + 1);
  EXPECT_TRUE(Runs(first + 2));
}

// What it waited for before it was cancelled must not count twice when it waits again.
TEST_F(Blocking, AJobThatWaitsAgainWaitsForAllOfTheOthers) {
  const JobId first =
      Submit({After({}), After({}), After({}), After({InSubmit(0), InSubmit(1), InSubmit(2)})}).job;
  Finish(first, Outcome::kFailed);
  ASSERT_TRUE(Retry(first).ok());
  Finish(first + 1);
  Finish(first);
  EXPECT_EQ(Of(first + 3).state, JobState::kBlocked);
  Finish(first + 2);
  EXPECT_TRUE(Runs(first + 3));
}

TEST_F(Blocking, TheLaterOneCannotBeRetriedBeforeTheFailedOne) {
  const JobId first = Submit({After({}), After({InSubmit(0)})}).job;
  Finish(first, Outcome::kFailed);
  const Reply reply = Retry(first + 1);
  EXPECT_EQ(reply.refusal.code, absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(reply.refusal.message, HasSubstr(FormatJobId(first)));
}

TEST_F(Blocking, ACancelledJobThatWaitedWaitsAgainWhenItIsRetried) {
  const JobId first = Submit({After({}), After({InSubmit(0)})}).job;
  Drain(CancelJob{.tag = 1, .job = first + 1});
  EXPECT_EQ(Of(first + 1).state, JobState::kCancelled);
  ASSERT_TRUE(Retry(first + 1).ok());
  EXPECT_EQ(Of(first + 1).state, JobState::kBlocked);
  Finish(first);
  EXPECT_TRUE(Runs(first + 1));
}

TEST_F(Blocking, OneThatIsCancelledAfterItsUpstreamFailedStaysSoWhenThatIsRetried) {
  const JobId first =
      Submit({After({}), After({InSubmit(0)}), After({InSubmit(1)}), After({InSubmit(0)})}).job;
  Finish(first, Outcome::kFailed);
  Drain(CancelJob{.tag = 1, .job = first + 1, .ended = Stored(first + 1)});
  EXPECT_EQ(Of(first + 1).state, JobState::kCancelled);
  EXPECT_EQ(Of(first + 1).reason, Reason::kNone);
  ASSERT_TRUE(Retry(first).ok());
  EXPECT_EQ(Of(first + 1).state, JobState::kCancelled);
  EXPECT_EQ(Of(first + 2).state, JobState::kCancelled) << "it waits for that one in turn";
  EXPECT_EQ(Of(first + 3).state, JobState::kBlocked);
}

TEST_F(Blocking, SurvivesARestart) {
  const JobId first = Submit({After({}), After({InSubmit(0)}), After({InSubmit(1)})}).job;
  Make();
  EXPECT_EQ(Of(first + 1).state, JobState::kBlocked);
  Finish(first);
  Make();
  Finish(first + 1);
  Make();
  EXPECT_TRUE(Runs(first + 2));
}

TEST_F(Blocking, ManyMayWaitForMany) {
  constexpr uint32_t kMany = 300;
  std::vector<NewJob> jobs(kMany, After({}));
  for (uint32_t i = 0; i < kMany; ++i) jobs.push_back(After({InSubmit(0, kMany)}));
  const JobId first = Submit(std::move(jobs)).job;
  for (uint32_t i = 0; i < kMany; ++i) Finish(first + i);
  for (uint32_t i = 0; i < kMany; ++i) EXPECT_NE(Of(first + kMany + i).state, JobState::kBlocked);
  EXPECT_THAT(Of(first).links.dependents, ElementsAre(JobRange{first + kMany, kMany}));
}

TEST_F(Blocking, RefusesWhatIsNotThereHasFailedOrComesLater) {
  EXPECT_EQ(Submit({After({{{12345, 1}}})}).refusal.code, absl::StatusCode::kNotFound);
  const JobId failed = Submit({After({})}).job;
  Finish(failed, Outcome::kFailed);
  const Reply reply = Submit({After({{{failed, 1}}})});
  EXPECT_EQ(reply.refusal.code, absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(reply.refusal.message, HasSubstr("FAILED"));
  EXPECT_EQ(Submit({After({InSubmit(0)})}).refusal.code, absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Submit({After({}), After({InSubmit(2)})}).refusal.code,
            absl::StatusCode::kInvalidArgument);
}

TEST_F(Blocking, AJobWithWiredInputsIsAskedForOnceAndRunsWithTheAnswer) {
  NewJob wired = After({InSubmit(0)});
  wired.wiring = "wires";
  SubmitJobs submit{.tag = 1, .tenant = "t", .jobs = {After({}), wired}};
  const JobId first = Drain(std::move(submit)).replies.at(0).job;
  Finished done{.outcome = Outcome::kSucceeded, .result = "r", .start_us = 1};
  const Effects effects =
      Drain(WorkerReports{.session = session_, .reports = {{held_[first], std::move(done)}}});
  EXPECT_THAT(effects.ready, ElementsAre(first + 1));
  EXPECT_EQ(Of(first + 1).state, JobState::kBlocked);
  Drain(InputsResolved{.job = first + 1, .inputs = "inputs", .model_key = "m:1"});
  EXPECT_TRUE(Runs(first + 1));
  EXPECT_EQ(Of(first + 1).links.inputs, "inputs");
  EXPECT_EQ(Of(first + 1).model_key, "m:1");
}

TEST_F(Blocking, InputsAreAskedForAgainAfterARestart) {
  NewJob wired = After({});
  wired.reuse = true;
  const JobId job = Submit({wired}).job;
  stored_.at(job);
  held_.clear();
  CoreConfig config{.epoch = 9, .last_job_id = job};
  config.kinds = {{.name = "noop", .number = kNoop}};
  core_ = std::make_unique<Core>(std::move(config));
  core_->Restore(stored_.at(job), now_);
  EXPECT_THAT(Drain(UpdateLimits{}).ready, ElementsAre(job));
}

TEST_F(Blocking, InputsThatCannotBeResolvedFailTheJobAndEndWhatFollows) {
  NewJob wired = After({});
  wired.wiring = "wires";
  const JobId first = Submit({wired, After({InSubmit(0)})}).job;
  Drain(InputsResolved{.job = first, .error_code = 5, .error_message = "no such output"});
  EXPECT_EQ(Of(first).state, JobState::kFailed);
  EXPECT_EQ(Of(first).message, "no such output");
  EXPECT_EQ(Of(first + 1).reason, Reason::kUpstreamFailed);
}

TEST_F(Blocking, AnEarlierResultIsTakenWithoutAnAttempt) {
  NewJob job{.kind = kNoop};
  job.reuse = true;
  const JobId first = Submit({job, After({InSubmit(0)})}).job;
  Drain(InputsResolved{.job = first,
                       .reuse_key = "key",
                       .reused_from = 77,
                       .result = "earlier",
                       .outputs = {{"o"}}});
  EXPECT_EQ(Of(first).state, JobState::kSucceeded);
  EXPECT_EQ(Of(first).result, "earlier");
  EXPECT_EQ(Of(first).links.reused_from, 77u);
  EXPECT_THAT(Of(first).attempts, IsEmpty());
  EXPECT_THAT(Of(first).outputs, SizeIs(1));
  EXPECT_TRUE(Runs(first + 1));
}

TEST_F(Blocking, AJobsOwnCountOfAttemptsHolds) {
  NewJob job{.kind = kNoop};
  job.max_attempts = 1;
  const JobId first = Submit({job}).job;
  Finished failed{.outcome = Outcome::kFailed, .start_us = 1};
  Drain(WorkerReports{.session = session_, .reports = {{held_[first], std::move(failed)}}});
  EXPECT_EQ(Of(first).state, JobState::kFailed);
}

// What docs/policies/model-order.md says of a fan-out over two stages with a model each.
TEST_F(Blocking, AllItemsOfOneStageRunBeforeTheNextStageSoThatModelsSwapOnce) {
  constexpr uint32_t kItems = 20;
  limits_ = {{.job_class = JobClass::kInference, .max_running = 1}};
  ahead_jobs_ = 0;
  Make();
  NewJob first{.kind = kNoop, .model_key = "a:1"};
  NewJob second{.kind = kNoop, .model_key = "b:1"};
  // As a pipeline submits them: stage after stage, item N of the second after item N of the first.
  std::vector<NewJob> by_stage(kItems, first);
  for (uint32_t i = 0; i < kItems; ++i) {
    by_stage.push_back(second);
    by_stage.back().depends_on = {InSubmit(i)};
  }
  ASSERT_TRUE(Submit(by_stage).ok());
  EXPECT_EQ(RunAndCountSwaps(), 1);
  // Item after item, as a client without pipelines might: a swap for every job.
  std::vector<NewJob> by_item;
  for (uint32_t i = 0; i < kItems; ++i) {
    by_item.push_back(first);
    by_item.push_back(second);
    by_item.back().depends_on = {InSubmit(2 * i)};
  }
  ASSERT_TRUE(Submit(by_item).ok());
  EXPECT_EQ(RunAndCountSwaps(), 2 * kItems - 1);
}

// A pipeline is one piece of work to its owner: its later steps do not queue anew.
TEST_F(Blocking, TheTimeAJobIsBlockedCountsForItsAgeing) {
  limits_ = {{.job_class = JobClass::kInference, .max_running = 1}};
  ahead_jobs_ = 0;
  Make();
  NewJob last = After({InSubmit(0)});
  last.priority = 6;
  NewJob before{.kind = kNoop, .timeout_us = int64_t{3600} * 1'000'000};
  const JobId first = Submit({before, last}).job;
  ASSERT_TRUE(Runs(first));
  Drain(WorkerReports{.session = session_,
                      .reports = {{held_[first], Started{.time_us = now_.wall_us}}}});
  // Two intervals of ageing, in which the lease is kept.
  for (int i = 0; i < 120; ++i) {
    now_.wall_us += 5'000'000;
    now_.boot_us += 5'000'000;
    Drain(WorkerHeartbeat{session_, 1});
  }
  NewJob later{.kind = kNoop};
  later.priority = 5;
  const JobId other = Submit({later}).job;
  Finish(first);
  EXPECT_TRUE(Runs(first + 1));
  EXPECT_FALSE(Runs(other));
}

TEST_F(Blocking, ThePlantedBugLetsAJobRunTooEarly) {
  bugs_.unblocks_too_early = true;
  Make();
  const JobId first = Submit({After({}), After({}), After({InSubmit(0), InSubmit(1)})}).job;
  Finish(first);
  EXPECT_TRUE(Runs(first + 2));
}

TEST(Dependencies, WaitersOfOneRangeShareAGroup) {
  Dependencies dependencies;
  const auto live = [](JobId) { return true; };
  EXPECT_TRUE(dependencies.Wait({10, 1}, {1, 3}, live));
  EXPECT_TRUE(dependencies.Wait({11, 1}, {1, 3}, live));
  EXPECT_EQ(dependencies.groups(), 1u);
  EXPECT_THAT(dependencies.Ended(1, true), IsEmpty());
  EXPECT_THAT(dependencies.Ended(2, true), IsEmpty());
  EXPECT_THAT(dependencies.Ended(3, true), SizeIs(2));
  EXPECT_EQ(dependencies.groups(), 0u);
}

TEST(Dependencies, OneFailureIsEnoughAndLeavesNothingBehind) {
  Dependencies dependencies;
  EXPECT_TRUE(dependencies.Wait({10, 1}, {1, 3}, [](JobId) { return true; }));
  EXPECT_THAT(dependencies.Ended(2, false), SizeIs(1));
  EXPECT_FALSE(dependencies.IsAwaited(1));
  EXPECT_FALSE(dependencies.IsAwaited(3));
}

TEST(Dependencies, WhereNoneLivesNothingIsWaitedFor) {
  Dependencies dependencies;
  EXPECT_FALSE(dependencies.Wait({10, 1}, {1, 3}, [](JobId) { return false; }));
  EXPECT_FALSE(dependencies.IsAwaited(1));
}

}  // namespace
}  // namespace switchyard::scheduler
