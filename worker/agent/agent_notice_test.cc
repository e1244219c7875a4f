// Preemption, memory, host and serving figures, and how events and progress reach the scheduler.
#include "common/status/error.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "worker/report/report.h"
#include "worker/testing/agent_fixture.h"

namespace switchyard::worker {
namespace {

using ::switchyard::v1::Attempt;
using ::switchyard::worker::v1::AttemptReport;
using ::switchyard::worker::v1::FromRunner;
using ::switchyard::worker::v1::SchedulerDelta;
using ::switchyard::worker::v1::ServingBudget;
using ::switchyard::worker::v1::WorkerDelta;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using Preemption = AgentTest;
using Memory = AgentTest;
using Segments = AgentTest;
using Progressing = AgentTest;
using GangMember = AgentTest;

TEST_F(Preemption, AsksATrainingForACheckpointAndHandsItBack) {
  Assign(MakeTrain(TestKey(1)));
  const RunnerId own = runners_.last;
  Started(own, TestKey(1));
  Sent();
  Preempt(TestKey(1), absl::Seconds(30));
  ASSERT_THAT(runners_.runners[own].Cancels(), ElementsAre(1));
  const auto& cancel = runners_.runners[own].frames.back().cancel(0);
  EXPECT_TRUE(cancel.checkpoint_first());
  EXPECT_TRUE(cancel.preempt());
  EXPECT_EQ(cancel.grace().seconds(), 30);
  FromRunner frame;
  auto* report = frame.add_reports();
  *report->mutable_ref() = RefOf(TestKey(1));
  report->mutable_checkpoint()->mutable_artifact()->set_name("checkpoint");
  agent_.OnFrame(own, frame);
  Finished(own, TestKey(1), Attempt::CANCELLED);
  agent_.OnExit(own, RunnerExit{});
  EXPECT_THAT(SentReports(), ElementsAre(AttemptReport::kCheckpoint, AttemptReport::kReturned));
}

TEST_F(Preemption, EndsATrainingHardWhenItsGraceIsOver) {
  Assign(MakeTrain(TestKey(1)));
  const RunnerId own = runners_.last;
  Started(own, TestKey(1));
  Sent();
  Preempt(TestKey(1), absl::Seconds(3));
  clock_.Advance(absl::Seconds(2));
  agent_.Tick();
  EXPECT_FALSE(runners_.runners[own].killed);
  clock_.Advance(absl::Seconds(1));
  agent_.Tick();
  EXPECT_TRUE(runners_.runners[own].killed);
  agent_.OnExit(own, RunnerExit{.signal = 9});
  EXPECT_THAT(SentReports(), ElementsAre(AttemptReport::kReturned));
}

TEST_F(Preemption, KeepsTheResultOfATrainingThatWasDone) {
  Assign(MakeTrain(TestKey(1)));
  const RunnerId own = runners_.last;
  Started(own, TestKey(1));
  Sent();
  Preempt(TestKey(1), absl::Seconds(30));
  Finished(own, TestKey(1), Attempt::SUCCEEDED);
  agent_.OnExit(own, RunnerExit{});
  const WorkerDelta sent = Sent();
  ASSERT_EQ(sent.reports_size(), 1);
  EXPECT_EQ(sent.reports(0).finished().outcome(), Attempt::SUCCEEDED);
}

TEST_F(Preemption, ReturnsAtOnceWhatHasNotStarted) {
  for (const uint64_t job : {1, 2, 3}) Assign(MakeTrain(TestKey(job)));
  Preempt(TestKey(3), absl::Seconds(30));
  EXPECT_THAT(SentReports(), ElementsAre(AttemptReport::kReturned));
  Assign(MakeNoop(TestKey(4)));
  Preempt(TestKey(4), absl::Seconds(30));
  EXPECT_THAT(runners_.runners[serving_].Recalls(), ElementsAre(4));
}

TEST_F(Preemption, LetsShortWorkFinishWithinItsGrace) {
  Assign(MakeNoop(TestKey(1)));
  Assign(MakeNoop(TestKey(2)));
  Started(serving_, TestKey(1));
  Started(serving_, TestKey(2));
  Sent();
  Preempt(TestKey(1), absl::Seconds(3));
  Preempt(TestKey(2), absl::Seconds(3));
  EXPECT_THAT(runners_.runners[serving_].Cancels(), IsEmpty());
  Finished(serving_, TestKey(1));
  EXPECT_THAT(SentReports(), ElementsAre(AttemptReport::kFinished));
  clock_.Advance(absl::Seconds(3));
  agent_.Tick();
  EXPECT_THAT(runners_.runners[serving_].Cancels(), ElementsAre(2));
  Finished(serving_, TestKey(2), Attempt::CANCELLED);
  EXPECT_THAT(SentReports(), ElementsAre(AttemptReport::kReturned));
}

TEST_F(Memory, SaysThatTheKernelsKillerEndedATraining) {
  Assign(MakeTrain(TestKey(1)));
  const RunnerId own = runners_.last;
  Started(own, TestKey(1));
  Sent();
  agent_.OnExit(own, RunnerExit{.signal = 9, .out_of_memory = true});
  const WorkerDelta sent = Sent();
  ASSERT_EQ(sent.reports_size(), 1);
  EXPECT_TRUE(sent.reports(0).finished().out_of_memory());
  EXPECT_TRUE(IsOutOfMemory(FromProto(sent.reports(0).finished().error())));
}

TEST_F(Memory, BlamesForItNoneThatNeedsNone) {
  Assign(MakeNoop(TestKey(1)));
  Started(serving_, TestKey(1));
  Sent();
  agent_.OnExit(serving_, RunnerExit{.signal = 9, .out_of_memory = true});
  EXPECT_EQ(Sent().reports(0).finished().outcome(), Attempt::RUNNER_LOST);
}

TEST_F(Memory, TellsTheHostsFiguresWhenTheyChange) {
  ::switchyard::v1::HostFigures figures;
  figures.set_ledger_id("host-1");
  figures.set_memory_used_bytes(100);
  agent_.SetHostFigures(figures);
  EXPECT_EQ(Sent().host_figures().memory_used_bytes(), 100);
  agent_.SetHostFigures(figures);
  EXPECT_FALSE(Sent().has_host_figures());
  EXPECT_EQ(agent_.BuildHello().host_figures().ledger_id(), "host-1");
}

SchedulerDelta BudgetOf(int64_t bytes, uint64_t sequence) {
  SchedulerDelta delta;
  ServingBudget* budget = delta.add_serving_budgets();
  budget->set_device("cpu");
  budget->set_bytes(bytes);
  budget->set_sequence(sequence);
  return delta;
}

class ServingBudgets : public AgentTest {
 protected:
  // What the serving runner was told last.
  ServingBudget Told() {
    ServingBudget budget;
    for (const auto& frame : runners_.runners[runners_.last].frames) {
      if (frame.has_serving_budget()) budget = frame.serving_budget();
    }
    return budget;
  }
  void Answer(uint64_t sequence, int64_t held) {
    FromRunner frame;
    frame.mutable_serving()->set_sequence(sequence);
    frame.mutable_serving()->set_held_bytes(held);
    agent_.OnFrame(runners_.last, frame);
  }
};

TEST_F(ServingBudgets, PassesABudgetOnAndItsAnswerBack) {
  SchedulerDelta delta = BudgetOf(1000, 1);
  agent_.OnDelta(delta);
  EXPECT_EQ(Told().bytes(), 1000);
  // Nothing is promised before the runner answered.
  EXPECT_EQ(Sent().serving_size(), 0);
  Answer(Told().sequence(), 800);
  const WorkerDelta sent = Sent();
  ASSERT_EQ(sent.serving_size(), 1);
  EXPECT_EQ(sent.serving(0).device(), "cpu");
  EXPECT_EQ(sent.serving(0).sequence(), 1u);
  EXPECT_EQ(sent.serving(0).held_bytes(), 800);
}

TEST_F(ServingBudgets, DoesNotTakeAnEarlierAnswerForALaterBudgets) {
  SchedulerDelta delta = BudgetOf(1000, 1);
  agent_.OnDelta(delta);
  const uint64_t first = Told().sequence();
  agent_.OnDetached();
  Attach();
  Sent();
  delta = BudgetOf(500, 1);
  agent_.OnDelta(delta);
  Answer(first, 900);
  EXPECT_EQ(Sent().serving(0).sequence(), 0u);
  Answer(Told().sequence(), 400);
  EXPECT_EQ(Sent().serving(0).sequence(), 1u);
}

TEST_F(ServingBudgets, TakesNoneThatComesWhenTheLeaseIsOver) {
  clock_.Advance(absl::Minutes(1));
  SchedulerDelta delta = BudgetOf(1000, 1);
  agent_.OnDelta(delta);
  EXPECT_EQ(Told().bytes(), 0);
}

TEST_F(ServingBudgets, ANewRunnerBeginsUnderTheBudgetAndHoldsNothing) {
  SchedulerDelta delta = BudgetOf(1000, 1);
  agent_.OnDelta(delta);
  Answer(Told().sequence(), 800);
  Sent();
  agent_.OnExit(serving_, RunnerExit{.signal = 11});
  EXPECT_EQ(Told().bytes(), 1000);
  const WorkerDelta sent = Sent();
  ASSERT_EQ(sent.serving_size(), 1);
  EXPECT_EQ(sent.serving(0).held_bytes(), 0);
  EXPECT_EQ(sent.serving(0).sequence(), 1u);
}

TEST_F(Segments, AreStoredSomeSecondsAfterAnEventAndTold) {
  Assign(MakeTrain(TestKey(1)));
  const RunnerId own = runners_.last;
  Started(own, TestKey(1));
  Log(own, TestKey(1), "first");
  Sent();
  clock_.Advance(absl::Milliseconds(4990));
  EXPECT_LE(agent_.Tick(), absl::Milliseconds(10));
  EXPECT_THAT(segments_.waiting, IsEmpty());
  clock_.Advance(absl::Milliseconds(10));
  agent_.Tick();
  ASSERT_EQ(segments_.waiting.size(), 1u);
  segments_.StoreOne();
  const WorkerDelta sent = Sent();
  ASSERT_EQ(sent.reports_size(), 1);
  EXPECT_EQ(sent.reports(0).segments().artifacts(0).name(), "events");
  EXPECT_EQ(sent.reports(0).segments().artifacts(0).attempt(), 1u);
  // Nothing new: nothing is stored.
  clock_.Advance(absl::Seconds(20));
  agent_.Tick();
  EXPECT_THAT(segments_.waiting, IsEmpty());
}

TEST_F(Segments, AreStoredAtOnceWhenTheyAreLarge) {
  Assign(MakeTrain(TestKey(1)));
  const RunnerId own = runners_.last;
  Started(own, TestKey(1));
  for (int i = 0; i < 129; ++i) Log(own, TestKey(1), std::string(8 << 10, 'x'));
  EXPECT_EQ(segments_.waiting.size(), 1u);
}

TEST_F(Segments, WhatCameWhileTheLastWasStoredIsInTheEndToo) {
  Assign(MakeTrain(TestKey(1)));
  const RunnerId own = runners_.last;
  Started(own, TestKey(1));
  Log(own, TestKey(1), std::string(100, 'x'));
  clock_.Advance(absl::Seconds(5));
  agent_.Tick();
  Log(own, TestKey(1), "last words");
  Finished(own, TestKey(1));
  agent_.OnExit(own, RunnerExit{});
  Sent();
  segments_.StoreOne();
  EXPECT_THAT(SentReports(), IsEmpty());
  segments_.StoreOne();
  const WorkerDelta sent = Sent();
  ASSERT_EQ(sent.reports_size(), 1);
  EXPECT_EQ(sent.reports(0).finished().outputs_size(), 2);
}

TEST_F(Segments, AreToldBeforeAnAttemptIsHandedBack) {
  Assign(MakeTrain(TestKey(1)));
  const RunnerId own = runners_.last;
  Started(own, TestKey(1));
  Log(own, TestKey(1), "a line");
  Sent();
  Preempt(TestKey(1), absl::Seconds(30));
  Finished(own, TestKey(1), Attempt::CANCELLED);
  agent_.OnExit(own, RunnerExit{});
  EXPECT_THAT(SentReports(), IsEmpty());
  segments_.StoreOne();
  EXPECT_THAT(SentReports(), ElementsAre(AttemptReport::kSegments, AttemptReport::kReturned));
}

TEST_F(Segments, AFailedStoreIsTriedAgainAndCostsTheLogNotTheResult) {
  Assign(MakeTrain(TestKey(1)));
  const RunnerId own = runners_.last;
  Started(own, TestKey(1));
  Log(own, TestKey(1), "a line");
  clock_.Advance(absl::Seconds(5));
  agent_.Tick();
  segments_.FailOne();
  clock_.Advance(absl::Seconds(5));
  agent_.Tick();
  EXPECT_EQ(segments_.waiting.size(), 1u);
  segments_.FailOne();
  Finished(own, TestKey(1));
  agent_.OnExit(own, RunnerExit{});
  Sent();
  segments_.FailOne();
  const WorkerDelta sent = Sent();
  ASSERT_EQ(sent.reports_size(), 1);
  EXPECT_EQ(sent.reports(0).finished().outcome(), Attempt::SUCCEEDED);
  EXPECT_EQ(sent.reports(0).finished().outputs_size(), 0);
}

TEST_F(Progressing, IsToldAtMostOnceASecondAndTheNewestInTheEnd) {
  Assign(MakeTrain(TestKey(1)));
  const RunnerId own = runners_.last;
  Started(own, TestKey(1));
  Sent();
  for (const double fraction : {0.1, 0.2, 0.3}) Progress(own, TestKey(1), fraction);
  WorkerDelta sent = Sent();
  ASSERT_EQ(sent.reports_size(), 1);
  EXPECT_EQ(sent.reports(0).started().progress(), 0.1);
  EXPECT_EQ(sent.events_size(), 3);
  clock_.Advance(absl::Seconds(1));
  agent_.Tick();
  sent = Sent();
  ASSERT_EQ(sent.reports_size(), 1);
  EXPECT_EQ(sent.reports(0).started().progress(), 0.3);
  // Without news nothing is told: the scheduler looks at when something moved.
  clock_.Advance(absl::Seconds(2));
  agent_.Tick();
  EXPECT_THAT(SentReports(), IsEmpty());
}

TEST_F(GangMember, TellsEventsOnlyAsTheFirst) {
  auto assignment = MakeTrain(TestKey(1));
  assignment.mutable_gang()->set_members(2);
  assignment.mutable_gang()->set_member(1);
  Assign(assignment);
  const RunnerId own = runners_.last;
  Started(own, TestKey(1));
  Log(own, TestKey(1), "a line");
  Progress(own, TestKey(1), 0.5);
  const WorkerDelta sent = Sent();
  EXPECT_EQ(sent.events_size(), 0);
  EXPECT_EQ(sent.reports_size(), 2);
}

}  // namespace
}  // namespace switchyard::worker
