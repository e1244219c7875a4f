// Who goes next between tenants, what each may use, and what operators change meanwhile.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "scheduler/core/core.h"
#include "scheduler/policy/waiting_bound.h"

namespace switchyard::scheduler {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr uint16_t kTrain = 33;
constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kHour = 3600 * kSecond;
constexpr int64_t kDay = 24 * kHour;

CoreConfig TestConfig() {
  CoreConfig config;
  config.kinds = {{.name = "train", .number = kTrain, .job_class = JobClass::kTraining}};
  config.lease_us = 1000 * kDay;
  config.preemption.enabled = false;
  config.ahead_jobs = 0;
  return config;
}

// Workers with one GPU each. Every attempt starts at once and runs as long as its tenant's do.
class FairTest : public testing::Test {
 protected:
  FairTest() { Make(TestConfig()); }
  void Make(CoreConfig config, int gpus = 1) {
    core_ = std::make_unique<Core>(std::move(config));
    ends_.clear();
    Attach(gpus);
  }
  void Attach(int gpus) {
    for (int i = 1; i <= gpus; ++i) {
      WorkerAttached hello{.session = static_cast<uint64_t>(i),
                           .worker = absl::StrCat("w", i),
                           .incarnation = "a",
                           .kinds = {"train"}};
      hello.devices = {{.device = "cuda:0"}};
      Drain(std::move(hello));
    }
  }

  Effects Drain(const Event& event) {
    Effects effects;
    core_->Apply(event, now_, effects);
    Settle(effects);
    return effects;
  }
  Effects Advance() {
    Effects effects;
    Settle(effects);
    return effects;
  }
  void Settle(Effects& effects) {
    core_->Advance(now_, effects);
    core_->TakeChanges([&](const Change& change) { last_[change.image->id] = *change.image; });
    // What is handed out starts at once.
    const std::vector<AssignAttempt> assigned = effects.assignments;
    for (const AssignAttempt& each : assigned) {
      const JobImage& job = last_[each.ref.job];
      order_.push_back(each.ref.job);
      const int64_t run_us = run_us_.contains(job.tenant) ? run_us_[job.tenant] : kNever / 2;
      ends_.emplace(now_.boot_us + run_us, each);
      Effects more;
      core_->Apply(WorkerReports{.session = each.session,
                                 .reports = {{each.ref, Started{.time_us = now_.wall_us}}}},
                   now_, more);
      core_->TakeChanges([&](const Change& change) { last_[change.image->id] = *change.image; });
    }
  }
  Effects Finish(const AssignAttempt& attempt) {
    return Drain(WorkerReports{
        .session = attempt.session,
        .reports = {{attempt.ref, Finished{.outcome = Outcome::kSucceeded, .run_us = 1}}}});
  }
  void Step(int64_t us) {
    now_.wall_us += us;
    now_.boot_us += us;
  }
  // Lets work end until then; keeps `backlog` jobs of each of `busy` waiting.
  void Run(int64_t us, const std::map<std::string, uint8_t>& busy, uint64_t backlog = 4) {
    const int64_t until_us = now_.boot_us + us;
    for (;;) {
      for (const auto& [tenant, priority] : busy) {
        while (View(tenant).queued < backlog) Submit(tenant, {.priority = priority});
      }
      if (ends_.empty() || ends_.begin()->first > until_us) break;
      const auto [at_us, attempt] = *ends_.begin();
      ends_.erase(ends_.begin());
      Step(at_us - now_.boot_us);
      used_us_[last_[attempt.ref.job].tenant] += run_us_[last_[attempt.ref.job].tenant];
      Finish(attempt);
    }
    Step(until_us - now_.boot_us);
    Advance();
  }
  JobId Submit(const std::string& tenant, NewJob job = {}) {
    job.kind = kTrain;
    const Effects effects = Drain(SubmitJobs{.tag = 1, .tenant = tenant, .jobs = {job}});
    refusal_ = effects.replies.at(0).refusal;
    return effects.replies.at(0).job;
  }
  TenantView View(const std::string& tenant) {
    for (const TenantView& view : core_->ViewAccounts().tenants) {
      if (view.settings.name == tenant) return view;
    }
    return {};
  }
  Reason ReasonOf(JobId job) {
    JobImage image;
    return core_->Image(job, image) ? image.reason : Reason::kNone;
  }
  bool Runs(JobId job) {
    JobImage image;
    return core_->Image(job, image) && image.state == JobState::kRunning;
  }

  Now now_{.wall_us = 20'000 * kDay, .boot_us = 1'000'000};
  std::unique_ptr<Core> core_;
  std::map<JobId, JobImage> last_;
  std::multimap<int64_t, AssignAttempt> ends_;
  std::map<std::string, int64_t> run_us_;
  std::map<std::string, double> used_us_;
  std::vector<JobId> order_;
  Refusal refusal_;
};

TEST_F(FairTest, SaturatedTenantsGetDeviceTimeByTheirWeights) {
  CoreConfig config = TestConfig();
  config.tenants = {{.name = "a", .weight = 1}, {.name = "b", .weight = 3}};
  config.share_half_life_us = kHour;  // Several times in the run.
  Make(config, 3);
  run_us_ = {{"a", 3 * kSecond}, {"b", 7 * kSecond}};
  Run(4 * kHour, {{"a", 5}, {"b", 5}});
  EXPECT_NEAR(used_us_["b"] / used_us_["a"], 3, 0.05);
}

TEST_F(FairTest, ALongTrainingIsChargedWhileItRuns) {
  run_us_ = {{"a", 10 * kHour}};
  Submit("a");
  Step(kHour);
  Advance();
  EXPECT_NEAR(View("a").device_seconds_today, 3600, 2);
  EXPECT_NEAR(View("a").charge_seconds, 3600, 80);  // Some of it has decayed.
  Step(kHour);
  Advance();
  EXPECT_NEAR(View("a").charge_seconds, 7200, 250);
}

TEST_F(FairTest, NobodyPaysTwiceForWhatWasExpected) {
  CoreConfig config = TestConfig();
  config.share_half_life_us = 0;
  config.kinds[0].assumed_run_time_us = 100 * kSecond;
  Make(config);
  run_us_ = {{"a", 100 * kSecond}};
  Submit("a");
  EXPECT_NEAR(View("a").charge_seconds, 100, 1);
  Run(150 * kSecond, {});
  EXPECT_NEAR(View("a").charge_seconds, 100, 1);
}

TEST_F(FairTest, WhatWasUsedWeighsHalfAfterAHalfLife) {
  run_us_ = {{"a", kHour}};
  Submit("a");
  Run(kHour, {});
  const double before = View("a").charge_seconds;
  Run(kDay, {});
  EXPECT_NEAR(View("a").charge_seconds / before, 0.5, 0.01);
}

TEST_F(FairTest, ATenantThatWasIdleIsAheadForItsCreditAndNoLonger) {
  CoreConfig config = TestConfig();
  config.idle_credit_us = 600 * kSecond;
  config.share_half_life_us = 0;
  Make(config);
  run_us_ = {{"a", 10 * kSecond}, {"b", 10 * kSecond}};
  Run(10 * kHour, {{"a", 5}});
  used_us_.clear();
  Run(2 * kHour, {{"a", 5}, {"b", 5}});
  // It is behind by ten hours, and is let ahead by ten minutes and a sample's length.
  EXPECT_GT(used_us_["b"] - used_us_["a"], 300e6);
  EXPECT_LT(used_us_["b"] - used_us_["a"], 800e6);
}

TEST_F(FairTest, RequestsThatAreNoJobsAreCharged) {
  Drain(InteractiveUse{.session = 1, .uses = {{"chat", 50 * kSecond}}});
  EXPECT_NEAR(View("chat").charge_seconds, 50, 1);
  EXPECT_NEAR(View("chat").device_seconds_today, 50, 1);
}

TEST_F(FairTest, TheLeastUrgentJobStartsWithinTheStatedBound) {
  CoreConfig config = TestConfig();
  config.ageing_interval_us = 60 * kSecond;
  config.idle_credit_us = 0;
  Make(config, 2);
  run_us_ = {{"urgent", 5 * kSecond}, {"flood", 5 * kSecond}, {"patient", 5 * kSecond}};
  Run(600 * kSecond, {{"urgent", 1}, {"flood", 4}});
  const JobId job = Submit("patient", {.priority = 9});
  const int64_t from_us = now_.boot_us;
  while (!Runs(job) && now_.boot_us - from_us < kHour) {
    Run(kSecond, {{"urgent", 1}, {"flood", 4}});
  }
  const int64_t bound_us = WaitingBound({.priority = 9,
                                         .ageing_interval_us = 60 * kSecond,
                                         .urgent_share_percent = 50,
                                         .places = 2,
                                         .all_weights = 3,
                                         .tenants = 3,
                                         .longest_us = 5 * kSecond});
  EXPECT_LE(now_.boot_us - from_us, bound_us);
  // It does wait for its priority to rise: the flood is never without work of priority 4.
  EXPECT_GE(now_.boot_us - from_us, 5 * 60 * kSecond);
}

TEST_F(FairTest, UrgentWorkHasItsShareWhileOthersWaitAndAllWhenNobodyDoes) {
  Make(TestConfig(), 2);
  run_us_ = {{"urgent", 2 * kSecond}, {"other", 3 * kSecond}};
  Run(kHour, {{"urgent", 1}, {"other", 9}});
  EXPECT_NEAR(used_us_["urgent"] / (used_us_["urgent"] + used_us_["other"]), 0.5, 0.03);
  used_us_.clear();
  Run(kHour, {{"urgent", 2}});
  EXPECT_NEAR(used_us_["urgent"], 2 * 3600e6, 50e6);
}

TEST_F(FairTest, ATenantAtItsCapWaitsAndGoesOnWhenTheCapIsRaisedLive) {
  CoreConfig config = TestConfig();
  config.tenants = {{.name = "a", .max_running = 1}};
  Make(config, 2);
  const JobId first = Submit("a");
  const JobId second = Submit("a");
  EXPECT_TRUE(Runs(first));
  EXPECT_EQ(ReasonOf(second), Reason::kQuota);
  const Effects effects = Drain(SetTenant{.tag = 1, .patch = {.name = "a", .max_running = 2}});
  EXPECT_TRUE(effects.settings_changed);
  EXPECT_TRUE(Runs(second));
}

TEST_F(FairTest, AKeyAtItsCapWaitsForItsOwnJobs) {
  CoreConfig config = TestConfig();
  config.keys = {{.id = "nightly", .tenant = "a", .max_running = 1}};
  Make(config, 3);
  Submit("a", {.key = "nightly"});
  const JobId held = Submit("a", {.key = "nightly"});
  EXPECT_TRUE(Runs(Submit("a", {.key = "laptop"})));
  EXPECT_EQ(ReasonOf(held), Reason::kKeyLimit);
  Drain(SetKey{.tag = 1, .patch = {.id = "nightly", .tenant = "a", .max_running = 0}});
  EXPECT_TRUE(Runs(held));
}

TEST_F(FairTest, AnArrayRunsAsWideAsItSays) {
  Make(TestConfig(), 3);
  SubmitJobs submit{.tag = 1, .tenant = "a"};
  for (int i = 0; i < 3; ++i) submit.jobs.push_back({.kind = kTrain, .array = {.width = 2}});
  const JobId first = Drain(submit).replies.at(0).job;
  EXPECT_TRUE(Runs(first + 1));
  EXPECT_EQ(ReasonOf(first + 2), Reason::kArrayWidth);
  JobImage image;
  ASSERT_TRUE(core_->Image(first + 2, image));
  EXPECT_EQ(image.array, (ArrayMembership{first, 2}));
}

TEST_F(FairTest, AQueueOverItsQuotaIsRefusedWithTheNumbers) {
  CoreConfig config = TestConfig();
  config.tenants = {{.name = "a", .max_queued = 1}};
  Make(config);
  Submit("a");
  Submit("a");
  EXPECT_EQ(Submit("a"), 0u);
  EXPECT_EQ(refusal_.code, absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(refusal_.message, HasSubstr("1 jobs waiting of at most 1"));
  EXPECT_GT(refusal_.retry_delay_us, 0);
  EXPECT_NE(Submit("b"), 0u);
}

TEST_F(FairTest, ADayThatIsUsedUpGoesOnAtMidnight) {
  CoreConfig config = TestConfig();
  config.tenants = {{.name = "a", .device_seconds_per_day = 100}};
  Make(config);
  run_us_ = {{"a", 60 * kSecond}};
  Submit("a");
  Submit("a");
  const JobId tomorrow = Submit("a");
  Run(130 * kSecond, {});
  EXPECT_EQ(ReasonOf(tomorrow), Reason::kQuota);
  EXPECT_EQ(core_->NextWakeup().wall_us, 20'001 * kDay);
  Step(kDay - 120 * kSecond);
  Advance();
  EXPECT_TRUE(Runs(tomorrow));
}

TEST_F(FairTest, AGuaranteeIsHadWhateverThePrioritiesAndNoFurther) {
  CoreConfig config = TestConfig();
  config.tenants = {{.name = "own", .guaranteed_running = 1}};
  Make(config, 2);
  run_us_ = {{"own", 10 * kSecond}, {"flood", 10 * kSecond}};
  Run(kHour, {{"flood", 1}, {"own", 9}});
  EXPECT_NEAR(used_us_["own"], used_us_["flood"], 60e6);
}

TEST_F(FairTest, APauseKeepsPlacesAndLetsWhatRunsGoOn) {
  Make(TestConfig(), 2);
  run_us_ = {{"a", 10 * kSecond}, {"b", 10 * kSecond}};
  const JobId runs = Submit("a");
  Drain(PauseQueue{.tag = 1, .rule = {.tenant = "a"}});
  const JobId waits = Submit("a");
  EXPECT_TRUE(Runs(runs));
  EXPECT_EQ(ReasonOf(waits), Reason::kPaused);
  EXPECT_TRUE(Runs(Submit("b")));
  Run(15 * kSecond, {});
  EXPECT_EQ(ReasonOf(waits), Reason::kPaused);
  Drain(PauseQueue{.tag = 1, .rule = {.tenant = "a"}, .paused = false});
  EXPECT_TRUE(Runs(waits));
}

TEST_F(FairTest, APauseOfAKindOrOfAllHoldsOverARestart) {
  Drain(PauseQueue{.tag = 1, .rule = {.kind = kTrain}});
  CoreConfig config = TestConfig();
  config.live = core_->live_settings();
  ASSERT_THAT(config.live.pauses, SizeIs(1));
  Make(config);
  const JobId waits = Submit("a");
  EXPECT_EQ(ReasonOf(waits), Reason::kPaused);
  Drain(PauseQueue{.tag = 1, .rule = {}});
  Drain(PauseQueue{.tag = 1, .rule = {.kind = kTrain}, .paused = false});
  EXPECT_EQ(ReasonOf(waits), Reason::kPaused);
  Drain(PauseQueue{.tag = 1, .rule = {}, .paused = false});
  EXPECT_TRUE(Runs(waits));
}

TEST_F(FairTest, WhatWasChangedLiveWinsOverTheConfigAfterARestart) {
  Drain(SetTenant{.tag = 1, .patch = {.name = "a", .weight = 7}});
  Drain(SetTenant{.tag = 1, .patch = {.name = "a", .max_running = 3}});
  CoreConfig config = TestConfig();
  config.tenants = {{.name = "a", .weight = 2, .max_running = 1, .max_queued = 9}};
  config.live = core_->live_settings();
  Make(config);
  EXPECT_EQ(View("a").settings.weight, 7u);
  EXPECT_EQ(View("a").settings.max_running, 3u);
  EXPECT_EQ(View("a").settings.max_queued, 9u);
}

TEST_F(FairTest, ChargesAndTheDaysUseHoldOverARestart) {
  run_us_ = {{"a", kHour}};
  Submit("a");
  Run(kHour, {});
  const double charged = View("a").charge_seconds;
  const PolicyState state = core_->SavePolicyState();
  core_ = std::make_unique<Core>(TestConfig());
  now_ = {.wall_us = now_.wall_us + kDay / 2, .boot_us = 5};
  core_->RestorePolicyState(state, now_);
  EXPECT_NEAR(View("a").charge_seconds / charged, 0.7071, 0.01);
  EXPECT_NEAR(View("a").device_seconds_today, 3600, 2);
}

}  // namespace
}  // namespace switchyard::scheduler
