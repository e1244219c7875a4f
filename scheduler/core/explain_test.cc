#include "scheduler/core/explain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <time.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "scheduler/core/core.h"

namespace switchyard::scheduler {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr uint16_t kShort = 32;    // Ten seconds each, as far as is known.
constexpr uint16_t kUnknown = 33;  // Nobody knows how long.
constexpr int64_t kSecond = 1'000'000;

class ExplainTest : public testing::Test {
 protected:
  ExplainTest() {
    CoreConfig config;
    config.ahead_jobs = 0;  // So that what cannot start waits in the order.
    config.kinds = {{.name = "short",
                     .number = kShort,
                     .job_class = JobClass::kInference,
                     .default_timeout_us = 60 * kSecond,
                     .assumed_run_time_us = 10 * kSecond},
                    {.name = "unknown",
                     .number = kUnknown,
                     .job_class = JobClass::kInference,
                     .default_timeout_us = 60 * kSecond}};
    config.tenants = {{.name = "heavy", .weight = 1}, {.name = "light", .weight = 3}};
    config.limits = {{.job_class = JobClass::kInference, .max_running = 1}};
    core_ = std::make_unique<Core>(std::move(config));
  }

  Effects Drain(const Event& event) {
    Effects effects;
    core_->Apply(event, now_, effects);
    core_->Advance(now_, effects);
    core_->TakeChanges([](const Change&) {});
    return effects;
  }
  std::vector<JobId> Submit(int count, NewJob job, const std::string& tenant = "default") {
    SubmitJobs event{.tag = 1, .tenant = tenant};
    event.jobs.assign(count, job);
    const JobId first = Drain(event).replies.at(0).job;
    std::vector<JobId> ids;
    for (int i = 0; i < count; ++i) ids.push_back(first + i);
    return ids;
  }
  Effects Attach(uint64_t session, const std::string& worker) {
    return Drain(WorkerAttached{.session = session,
                                .worker = worker,
                                .incarnation = "a",
                                .devices = {{.device = "cpu"}},
                                .kinds = {"short", "unknown"}});
  }
  void Start(uint64_t session, const AttemptRef& ref) {
    Drain(WorkerReports{.session = session,
                        .reports = {{ref, Started{.time_us = now_.wall_us, .device = "cpu"}}}});
  }
  void Later(int64_t us) {
    now_.wall_us += us;
    now_.boot_us += us;
  }
  Explanation Explain(JobId job) {
    Explanation explanation;
    EXPECT_TRUE(core_->Explain(job, now_, explanation));
    return explanation;
  }

  Now now_{.wall_us = 1'700'000'000 * kSecond, .boot_us = 3600 * kSecond};
  std::unique_ptr<Core> core_;
};

TEST_F(ExplainTest, TheStartFollowsFromWhatRunsAndWhatComesBefore) {
  const auto jobs = Submit(4, {.kind = kShort});
  const Effects attached = Attach(1, "w1");
  ASSERT_THAT(attached.assignments, SizeIs(1));
  Start(1, attached.assignments[0].ref);
  Later(4 * kSecond);
  // The first has 6 s to go, then each takes 10.
  for (int i = 1; i < 4; ++i) {
    const Explanation explanation = Explain(jobs[i]);
    EXPECT_EQ(explanation.reason, Reason::kLimit);
    EXPECT_EQ(explanation.position, static_cast<uint64_t>(i));
    EXPECT_EQ(explanation.competing, 3u);
    EXPECT_EQ(explanation.basis, StartBasis::kRunTimes);
    EXPECT_EQ(explanation.start_us, now_.wall_us + (6 + 10 * (i - 1)) * kSecond) << i;
    EXPECT_FALSE(explanation.approximate);
  }
  const Explanation last = Explain(jobs[3]);
  ASSERT_THAT(last.places, SizeIs(1));
  EXPECT_EQ(last.places[0].worker, "w1");
  EXPECT_EQ(last.places[0].running, 1u);
  EXPECT_EQ(last.places[0].limit, 1u);
  EXPECT_EQ(last.places[0].room_us, now_.wall_us + 6 * kSecond);
}

TEST_F(ExplainTest, TwoPlacesAreSharedByThoseWhoComeBefore) {
  const auto jobs = Submit(5, {.kind = kShort});
  for (const uint64_t session : {1, 2}) {
    const Effects attached = Attach(session, absl::StrCat("w", session));
    Start(session, attached.assignments.at(0).ref);
  }
  EXPECT_EQ(Explain(jobs[2]).start_us, now_.wall_us + 10 * kSecond);
  EXPECT_EQ(Explain(jobs[3]).start_us, now_.wall_us + 10 * kSecond);
  EXPECT_EQ(Explain(jobs[4]).start_us, now_.wall_us + 20 * kSecond);
}

TEST_F(ExplainTest, WhatNobodyKnowsIsSaidToBeUnknown) {
  Submit(1, {.kind = kUnknown, .priority = 3});
  const auto waiting = Submit(1, {.kind = kUnknown, .priority = 4});
  const auto last = Submit(1, {.kind = kShort, .priority = 5});
  const Effects attached = Attach(1, "w1");
  Start(1, attached.assignments.at(0).ref);
  EXPECT_EQ(Explain(waiting[0]).start_us, kNever);
  EXPECT_EQ(Explain(waiting[0]).basis, StartBasis::kRunningUnknown);
  Attach(2, "w2");
  // One place is free of the unknown one now; it was given away.
  EXPECT_EQ(Explain(last[0]).start_us, kNever);
}

TEST_F(ExplainTest, AnUnknownJobBeforeMakesTheStartUnknown) {
  const auto first = Submit(1, {.kind = kShort, .priority = 1});
  Submit(1, {.kind = kUnknown, .priority = 2});
  const auto last = Submit(1, {.kind = kShort, .priority = 3});
  const Effects attached = Attach(1, "w1");
  ASSERT_EQ(attached.assignments.at(0).ref.job, first[0]);
  Start(1, attached.assignments[0].ref);
  const Explanation explanation = Explain(last[0]);
  EXPECT_EQ(explanation.position, 2u);
  EXPECT_EQ(explanation.start_us, kNever);
  EXPECT_EQ(explanation.basis, StartBasis::kAheadUnknown);
}

TEST_F(ExplainTest, AnOverdueAttemptIsExpectedSoonAndThenNotAtAll) {
  const auto jobs = Submit(2, {.kind = kShort});
  Start(1, Attach(1, "w1").assignments.at(0).ref);
  Later(15 * kSecond);
  EXPECT_EQ(Explain(jobs[1]).start_us, now_.wall_us + 1 * kSecond);
  Later(6 * kSecond);
  EXPECT_EQ(Explain(jobs[1]).start_us, kNever);
}

TEST_F(ExplainTest, MoreUrgentJobsComeFirstWhoseverTheyAre) {
  const auto mine = Submit(2, {.kind = kShort, .priority = 5});
  Submit(3, {.kind = kShort, .priority = 2}, "other");
  Submit(7, {.kind = kShort, .priority = 8}, "other");
  EXPECT_EQ(Explain(mine[0]).position, 4u);
  EXPECT_EQ(Explain(mine[1]).position, 5u);
  EXPECT_EQ(Explain(mine[1]).competing, 12u);
}

TEST_F(ExplainTest, ThePositionBetweenTenantsIsWhatFairShareThenDoes) {
  // Weight 3 goes three times for each of weight 1: the 4th of `heavy` comes after about 9 to 12 of
  // `light`. Run for real, it is compared with what was said.
  const auto heavy = Submit(8, {.kind = kShort}, "heavy");
  const auto light = Submit(40, {.kind = kShort}, "light");
  const uint64_t told = Explain(heavy[3]).position;
  EXPECT_TRUE(Explain(heavy[3]).approximate);
  uint64_t real = 0;
  Effects effects = Attach(1, "w1");
  while (true) {
    ASSERT_FALSE(effects.assignments.empty());
    const AttemptRef ref = effects.assignments[0].ref;
    ++real;
    if (ref.job == heavy[3]) break;
    Start(1, ref);
    Later(10 * kSecond);
    Drain(WorkerHeartbeat{.session = 1, .sequence = real});
    effects = Drain(WorkerReports{
        .session = 1,
        .reports = {{ref, Finished{.outcome = Outcome::kSucceeded, .run_us = 10 * kSecond}}}});
  }
  EXPECT_NEAR(static_cast<double>(told), static_cast<double>(real), 3.0);
}

TEST_F(ExplainTest, JobsForOtherDevicesDoNotCount) {
  Submit(3, {.kind = kShort, .device = "cuda"});
  const auto mine = Submit(2, {.kind = kShort, .device = "cpu"});
  Attach(1, "w1");
  const Explanation explanation = Explain(mine[1]);
  EXPECT_EQ(explanation.position, 1u);
  EXPECT_EQ(explanation.competing, 1u);
}

TEST_F(ExplainTest, WhereNothingFitsItListsWhatThereIs) {
  const auto jobs = Submit(1, {.kind = kShort, .device = "cuda"});
  Attach(1, "w1");
  const Explanation explanation = Explain(jobs[0]);
  EXPECT_EQ(explanation.reason, Reason::kNoDevice);
  EXPECT_EQ(explanation.basis, StartBasis::kNoPlace);
  EXPECT_THAT(explanation.places, IsEmpty());
  EXPECT_THAT(explanation.existing_devices, ElementsAre("cpu (w1)"));
}

TEST_F(ExplainTest, APausedJobNamesTheRule) {
  Attach(1, "w1");
  Drain(PauseQueue{.tag = 1, .rule = {.tenant = "heavy", .kind = kShort}});
  Drain(PauseQueue{.tag = 2, .rule = {.tenant = "light"}});
  const auto jobs = Submit(1, {.kind = kShort}, "heavy");
  const Explanation explanation = Explain(jobs[0]);
  EXPECT_EQ(explanation.reason, Reason::kPaused);
  EXPECT_EQ(explanation.basis, StartBasis::kHeld);
  EXPECT_EQ(explanation.start_us, kNever);
  ASSERT_THAT(explanation.pauses, SizeIs(1));
  EXPECT_EQ(explanation.pauses[0].tenant, "heavy");
}

TEST_F(ExplainTest, AQuotaTellsItsCount) {
  Drain(SetTenant{.tag = 1, .patch = {.name = "heavy", .max_running = 1}});
  Attach(1, "w1");
  Attach(2, "w2");
  const auto jobs = Submit(2, {.kind = kShort}, "heavy");
  const Explanation explanation = Explain(jobs[1]);
  EXPECT_EQ(explanation.reason, Reason::kQuota);
  ASSERT_FALSE(explanation.counts.empty());
  EXPECT_EQ(explanation.counts[0].name, "tenant.max_running");
  EXPECT_EQ(explanation.counts[0].subject, "heavy");
  EXPECT_EQ(explanation.counts[0].used, 1);
  EXPECT_EQ(explanation.counts[0].limit, 1);
}

TEST_F(ExplainTest, ACordonedWorkerIsNamed) {
  Attach(1, "w1");
  Drain(CordonWorker{.tag = 1, .cordon = {.worker = "w1"}});
  const auto jobs = Submit(1, {.kind = kShort});
  EXPECT_THAT(Explain(jobs[0]).workers, ElementsAre("w1"));
}

TEST_F(ExplainTest, MemoryTellsNeedSourceAndTheMostThatIsFree) {
  constexpr int64_t kGiB = int64_t{1} << 30;
  Drain(UpdateLimits{.tag = 1, .set = {{.job_class = JobClass::kInference, .max_running = 4}}});
  Drain(WorkerAttached{.session = 1,
                       .worker = "w1",
                       .incarnation = "a",
                       .devices = {{.device = "cpu", .memory_total_bytes = 10 * kGiB}},
                       .kinds = {"short", "unknown"}});
  const auto jobs = Submit(2, {.kind = kShort, .memory_bytes = 6 * kGiB});
  const Explanation explanation = Explain(jobs[1]);
  EXPECT_EQ(explanation.reason, Reason::kMemory);
  EXPECT_EQ(explanation.memory_need_bytes, 6 * kGiB);
  EXPECT_EQ(explanation.memory_source, NeedSource::kStated);
  EXPECT_EQ(explanation.largest_free_bytes, 4 * kGiB);
  ASSERT_THAT(explanation.places, SizeIs(1));
  EXPECT_EQ(explanation.places[0].reason, Reason::kMemory);
  EXPECT_EQ(explanation.start_us, kNever);
  Explanation fresh;
  core_->ExplainNew("default", {.kind = kShort, .memory_bytes = 5 * kGiB}, now_, fresh);
  EXPECT_EQ(fresh.reason, Reason::kMemory);
  EXPECT_EQ(fresh.memory_need_bytes, 5 * kGiB);
}

TEST_F(ExplainTest, AJobThatWouldBeSubmittedChangesNothing) {
  Attach(1, "w1");
  Explanation free;
  core_->ExplainNew("default", {.kind = kShort}, now_, free);
  EXPECT_EQ(free.basis, StartBasis::kRoomNow);
  EXPECT_EQ(free.position, 1u);
  EXPECT_EQ(free.start_us, now_.wall_us);
  Submit(3, {.kind = kShort});
  Explanation full;
  core_->ExplainNew("default", {.kind = kShort}, now_, full);
  EXPECT_EQ(full.reason, Reason::kLimit);
  EXPECT_EQ(full.position, 3u);
  EXPECT_EQ(core_->Queue().queued, 3u);
}

TEST_F(ExplainTest, ItsCostIsBoundedInALongQueueOnALargeFleet) {
  for (uint64_t session = 1; session <= 5000; ++session)
    Attach(session, absl::StrCat("w", session));
  SubmitJobs event{.tag = 1, .tenant = "default"};
  event.jobs.assign(10'000, {.kind = kShort});
  JobId middle = 0;
  for (int i = 0; i < 30; ++i) {
    Later(kSecond);
    const JobId first = Drain(event).replies.at(0).job;
    if (i == 15) middle = first + 5000;
  }
  timespec begin, end;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begin);
  const Explanation explanation = Explain(middle);
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
  const int64_t took_us =
      (end.tv_sec - begin.tv_sec) * 1'000'000 + (end.tv_nsec - begin.tv_nsec) / 1000;
  RecordProperty("explain_us", static_cast<int>(took_us));
  EXPECT_TRUE(explanation.approximate);
  // 295,000 wait, of which 150,000 came before: told from the times within a tenth.
  EXPECT_NEAR(static_cast<double>(explanation.position), 150'000, 30'000);
  EXPECT_EQ(explanation.places_total, 5000u);
  EXPECT_THAT(explanation.places, SizeIs(kPlacesExplained));
  EXPECT_LT(took_us, 20'000);
}

}  // namespace
}  // namespace switchyard::scheduler
