// What outlives a restart of the engine beside jobs: what policies learned, who is charged, which
// workers get nothing, how wide arrays are.
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "scheduler/engine/core_kinds.h"
#include "scheduler/engine/engine.h"
#include "scheduler/store/memory_store.h"
#include "switchyard/v1/job.pb.h"

namespace switchyard::scheduler {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kGiB = int64_t{1} << 30;

class Output final : public EngineOutput {
 public:
  void Send(uint64_t, SessionOutput output) override {
    for (Assignment& each : output.assignments) assigned.push_back(each.attempt.ref);
  }
  void Publish(absl::Span<const JobNotice>) override {}
  void Rebuilt(uint64_t) override {}
  std::vector<AttemptRef> assigned;
};

class RestartTest : public testing::Test {
 protected:
  RestartTest() { Restart(); }

  // A new engine on the same store, and the worker that attaches to it.
  void Restart() {
    EngineOptions options;
    options.core.kinds = CoreKinds();
    options.log = false;
    engine_ = std::make_unique<Engine>(std::move(options), store_, clock_, output_);
    ASSERT_TRUE(engine_->Start().ok());
    output_.assigned.clear();
    Tell(WorkerAttached{.session = ++session_,
                        .worker = "w",
                        .incarnation = std::to_string(session_),
                        .devices = {{.device = "cpu", .memory_total_bytes = 8 * kGiB}},
                        .kinds = {"noop"}});
  }
  void Drain() {
    do {
      engine_->Drain(inbox_);
    } while (!inbox_.empty());
  }
  void Tell(Event event) {
    inbox_.emplace_back().event = std::move(event);
    Drain();
  }
  CommandResult Call(Event event) {
    CommandResult answer;
    Input input;
    input.event = std::move(event);
    input.tenant = "t";
    input.specs = {""};
    input.done = [&](CommandResult result) { answer = std::move(result); };
    inbox_.push_back(std::move(input));
    Drain();
    EXPECT_TRUE(answer.status.ok()) << answer.status;
    return answer;
  }
  JobId Submit(NewJob job = {.kind = v1::Job::kNoop}) {
    return Call(SubmitJobs{.jobs = {std::move(job)}}).job;
  }
  void Finish(const AttemptRef& ref, int64_t run_us, int64_t peak_bytes) {
    Tell(WorkerReports{.session = session_,
                       .reports = {{ref, Finished{.outcome = Outcome::kSucceeded,
                                                  .start_us = 1,
                                                  .run_us = run_us,
                                                  .memory_peak_bytes = peak_bytes}}}});
  }
  Explanation WouldNeed() {
    const CommandResult answer =
        Call(SubmitJobs{.jobs = {{.kind = v1::Job::kNoop}}, .validate_only = true});
    return answer.explanation == nullptr ? Explanation() : *answer.explanation;
  }

  FakeClock clock_;
  MemoryStore store_;
  Output output_;
  std::unique_ptr<Engine> engine_;
  std::deque<Input> inbox_;
  uint64_t session_ = 0;
};

TEST_F(RestartTest, WhatWasLearnedAndWhoIsChargedIsKnownAfterwards) {
  EXPECT_EQ(WouldNeed().memory_source, NeedSource::kUnknown);
  Submit();
  ASSERT_THAT(output_.assigned, SizeIs(1));
  clock_.Advance(absl::Seconds(7));
  Finish(output_.assigned[0], 7 * kSecond, kGiB);
  const Explanation before = WouldNeed();
  EXPECT_EQ(before.memory_source, NeedSource::kLearned);
  EXPECT_GE(before.memory_need_bytes, kGiB);
  EXPECT_GT(before.expected_run_us, 0);
  // It is stored with what else is committed, every ten seconds at most.
  clock_.Advance(absl::Seconds(11));
  Submit();
  Restart();
  const Explanation after = WouldNeed();
  EXPECT_EQ(after.memory_source, NeedSource::kLearned);
  EXPECT_EQ(after.memory_need_bytes, before.memory_need_bytes);
  EXPECT_EQ(after.expected_run_us, before.expected_run_us);
  const auto accounts = engine_->live_view().accounts();
  ASSERT_THAT(accounts->tenants, SizeIs(1));
  EXPECT_GE(accounts->tenants[0].device_seconds_today, 7);
  EXPECT_GE(accounts->tenants[0].charge_seconds, 6.9);
}

TEST_F(RestartTest, ACordonHoldsUntilItIsLifted) {
  const int64_t deadline_us = absl::ToUnixMicros(clock_.Now()) + 3600 * kSecond;
  Call(CordonWorker{
      .cordon = {.worker = "w", .reason = "a fan is broken", .drain_deadline_us = deadline_us}});
  Restart();
  Submit();
  EXPECT_THAT(output_.assigned, IsEmpty());
  const auto fleet = engine_->live_view().fleet();
  ASSERT_THAT(fleet->workers, SizeIs(1));
  EXPECT_TRUE(fleet->workers[0].cordoned);
  EXPECT_EQ(fleet->workers[0].cordon_reason, "a fan is broken");
  EXPECT_EQ(fleet->workers[0].drain_deadline_us, deadline_us);
  Call(CordonWorker{.cordon = {.worker = "w"}, .lift = true});
  EXPECT_THAT(output_.assigned, SizeIs(1));
  Restart();
  EXPECT_FALSE(engine_->live_view().fleet()->workers[0].cordoned);
}

TEST_F(RestartTest, AnArrayIsAsWideAsItWasSetLast) {
  SubmitJobs submit;
  submit.jobs.assign(4, {.kind = v1::Job::kNoop, .array = {.id = 0, .width = 1}});
  const JobId array = Call(submit).job;
  EXPECT_THAT(output_.assigned, SizeIs(1));
  Call(SetArrayWidth{.array = array, .width = 3});
  EXPECT_THAT(output_.assigned, SizeIs(3));
  Restart();
  EXPECT_THAT(output_.assigned, SizeIs(3));
  // What was set for one that has ended is forgotten with the next.
  Call(SetArrayWidth{.array = array + 1000, .width = 1});
  EXPECT_THAT(engine_->core()->live_settings().arrays, SizeIs(2));
  Call(SetArrayWidth{.array = array, .width = 4});
  EXPECT_THAT(engine_->core()->live_settings().arrays, SizeIs(1));
  EXPECT_THAT(output_.assigned, SizeIs(4));
}

}  // namespace
}  // namespace switchyard::scheduler
