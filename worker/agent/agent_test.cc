#include "worker/agent/agent.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "worker/testing/agent_fixture.h"

namespace switchyard::worker {
namespace {

using ::switchyard::v1::Attempt;
using ::switchyard::worker::v1::AttemptReport;
using ::switchyard::worker::v1::FromRunner;
using ::switchyard::worker::v1::Hello;
using ::switchyard::worker::v1::SchedulerDelta;
using ::switchyard::worker::v1::Welcome;
using ::switchyard::worker::v1::WorkerDelta;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST_F(AgentTest, GivesShortWorkToTheServingRunnerAndPassesItsReportsOn) {
  Assign(MakeNoop(TestKey(1)));
  EXPECT_THAT(runners_.runners[serving_].Starts(), ElementsAre(1));
  Started(serving_, TestKey(1));
  Finished(serving_, TestKey(1));
  EXPECT_THAT(SentReports(), ElementsAre(AttemptReport::kStarted, AttemptReport::kFinished));
  EXPECT_TRUE(agent_.Unacknowledged());
  Acknowledge(TestKey(1));
  EXPECT_FALSE(agent_.Unacknowledged());
}

TEST_F(AgentTest, IgnoresAnAssignmentToldTwice) {
  Assign(MakeNoop(TestKey(1)));
  Assign(MakeNoop(TestKey(1)));
  EXPECT_THAT(runners_.runners[serving_].Starts(), ElementsAre(1));
}

TEST_F(AgentTest, StartsTrainingsInRunnersOfTheirOwnInRankOrderUpToTheLimit) {
  SchedulerDelta delta;
  for (const uint64_t job : {1, 2, 3}) *delta.add_assignments() = MakeTrain(TestKey(job), 10 - job);
  agent_.OnDelta(delta);
  ASSERT_EQ(runners_.runners.size(), 3u);
  EXPECT_EQ(runners_.runners[2].role, RunnerRole::kOwn);
  EXPECT_THAT(runners_.runners[2].Starts(), ElementsAre(3));
  EXPECT_THAT(runners_.runners[3].Starts(), ElementsAre(2));
  // Its process has to be gone before the place is free and the end is told.
  Started(2, TestKey(3));
  Finished(2, TestKey(3));
  EXPECT_TRUE(runners_.runners[2].closed);
  EXPECT_THAT(SentReports(), ElementsAre(AttemptReport::kStarted));
  EXPECT_EQ(runners_.runners.size(), 3u);
  agent_.OnExit(2, RunnerExit{});
  EXPECT_THAT(SentReports(), ElementsAre(AttemptReport::kFinished));
  EXPECT_THAT(runners_.Last().Starts(), ElementsAre(1));
}

TEST_F(AgentTest, KillsATrainingThatDoesNotObeyACancel) {
  Assign(MakeTrain(TestKey(1)));
  const RunnerId own = runners_.last;
  Started(own, TestKey(1));
  Cancel(TestKey(1));
  EXPECT_THAT(runners_.runners[own].Cancels(), ElementsAre(1));
  clock_.Advance(absl::Milliseconds(790));
  EXPECT_LE(agent_.Tick(), absl::Milliseconds(10));
  EXPECT_FALSE(runners_.runners[own].killed);
  clock_.Advance(absl::Milliseconds(10));
  agent_.Tick();
  EXPECT_TRUE(runners_.runners[own].killed);
  agent_.OnExit(own, RunnerExit{.signal = 9});
  const WorkerDelta sent = Sent();
  EXPECT_EQ(sent.reports(sent.reports_size() - 1).finished().outcome(), Attempt::CANCELLED);
}

TEST_F(AgentTest, LetsAStoppedTrainingTakeTheTimeForItsCheckpoint) {
  Assign(MakeTrain(TestKey(1)));
  const RunnerId own = runners_.last;
  Started(own, TestKey(1));
  Cancel(TestKey(1), /*checkpoint_first=*/true);
  clock_.Advance(absl::Seconds(10));
  agent_.Tick();
  EXPECT_FALSE(runners_.runners[own].killed);
  // A cancel proper hastens it.
  Cancel(TestKey(1));
  clock_.Advance(absl::Milliseconds(800));
  agent_.Tick();
  EXPECT_TRUE(runners_.runners[own].killed);
}

TEST_F(AgentTest, ConfirmsTheCancelOfWhatHasNotStartedAtOnce) {
  Assign(MakeTrain(TestKey(1)));
  Assign(MakeTrain(TestKey(2)));
  Assign(MakeTrain(TestKey(3)));
  Cancel(TestKey(3));
  const WorkerDelta sent = Sent();
  ASSERT_EQ(sent.reports_size(), 1);
  EXPECT_EQ(sent.reports(0).finished().outcome(), Attempt::CANCELLED);
}

TEST_F(AgentTest, HandsBackRecalledAttemptsThatWaitAndAsksTheServingRunnerForItsOwn) {
  for (const uint64_t job : {1, 2, 3}) Assign(MakeTrain(TestKey(job)));
  Recall(TestKey(1));  // Runs: left alone.
  Recall(TestKey(3));
  EXPECT_THAT(SentReports(), ElementsAre(AttemptReport::kReturned));
  Assign(MakeNoop(TestKey(4)));
  Recall(TestKey(4));
  EXPECT_THAT(runners_.runners[serving_].Recalls(), ElementsAre(4));
}

TEST_F(AgentTest, BlamesOnlyStartedAttemptsForALostServingRunner) {
  Assign(MakeNoop(TestKey(1)));
  Assign(MakeNoop(TestKey(2)));
  Started(serving_, TestKey(1));
  Sent();
  agent_.OnExit(serving_, RunnerExit{.signal = 11});
  const WorkerDelta sent = Sent();
  ASSERT_EQ(sent.reports_size(), 1);
  EXPECT_EQ(KeyOf(sent.reports(0).ref()), TestKey(1));
  EXPECT_EQ(sent.reports(0).finished().outcome(), Attempt::RUNNER_LOST);
  EXPECT_THAT(sent.reports(0).finished().error().message(), HasSubstr("signal 11"));
  EXPECT_NE(runners_.last, serving_);
  EXPECT_THAT(runners_.Last().Starts(), ElementsAre(2));
  EXPECT_LT(runners_.Last().delay, absl::Seconds(1));
}

TEST_F(AgentTest, RestartsARunnerThatKeepsDyingLessEagerlyButWithinASecond) {
  absl::Duration last;
  for (int i = 0; i < 10; ++i) {
    agent_.OnExit(runners_.last, RunnerExit{.code = 1});
    EXPECT_GE(runners_.Last().delay, last);
    last = runners_.Last().delay;
  }
  EXPECT_LT(last, absl::Seconds(1));
  clock_.Advance(absl::Minutes(1));
  agent_.OnExit(runners_.last, RunnerExit{.code = 1});
  EXPECT_EQ(runners_.Last().delay, absl::ZeroDuration());
}

TEST_F(AgentTest, StoresTheEventsBeforeItReportsTheEnd) {
  Assign(MakeNoop(TestKey(1)));
  Started(serving_, TestKey(1));
  Log(serving_, TestKey(1), "first");
  Log(serving_, TestKey(1), "second");
  Finished(serving_, TestKey(1));
  WorkerDelta sent = Sent();
  ASSERT_EQ(sent.events_size(), 2);
  EXPECT_EQ(sent.events(0).first_sequence(), 1u);
  EXPECT_EQ(sent.events(1).first_sequence(), 2u);
  EXPECT_EQ(sent.reports_size(), 1);  // Started.
  segments_.StoreOne();
  sent = Sent();
  ASSERT_EQ(sent.reports_size(), 1);
  ASSERT_EQ(sent.reports(0).finished().outputs_size(), 1);
  EXPECT_EQ(sent.reports(0).finished().outputs(0).name(), "events");
  EXPECT_EQ(sent.reports(0).finished().outputs(0).attempt(), 1u);
}

TEST_F(AgentTest, TellsAllItHoldsAfterALostStreamAndRepeatsWhatWasNotAcknowledged) {
  Assign(MakeTrain(TestKey(1)));
  Assign(MakeNoop(TestKey(2)));
  Assign(MakeNoop(TestKey(3)));
  Started(2, TestKey(1));
  Log(2, TestKey(1), "line");
  Finished(serving_, TestKey(3));
  Sent();
  agent_.OnDetached();
  Finished(serving_, TestKey(2));
  WorkerDelta none;
  EXPECT_FALSE(agent_.TakeDelta(&none));
  const Hello hello = Attach();
  EXPECT_EQ(hello.attempts_size(), 3);
  const WorkerDelta sent = Sent();
  int finished = 0;
  for (const auto& report : sent.reports()) finished += report.has_finished();
  EXPECT_EQ(finished, 2);
  ASSERT_EQ(sent.events_size(), 1);
  EXPECT_EQ(sent.events(0).first_sequence(), 1u);
}

TEST_F(AgentTest, EndsWithoutAReportWhatTheSchedulerDoesNotKeep) {
  Assign(MakeTrain(TestKey(1)));
  Assign(MakeNoop(TestKey(2)));
  const RunnerId own = 2;
  Started(own, TestKey(1));
  agent_.OnDetached();
  Attach(/*keep=*/false);
  EXPECT_TRUE(runners_.runners[own].killed);
  EXPECT_THAT(runners_.runners[serving_].Cancels(), ElementsAre(2));
  agent_.OnExit(own, RunnerExit{.signal = 9});
  Finished(serving_, TestKey(2), Attempt::CANCELLED);
  EXPECT_THAT(SentReports(), IsEmpty());
  EXPECT_FALSE(agent_.Unacknowledged());
}

TEST_F(AgentTest, CountsTheLeaseFromWhenTheAcknowledgedHeartbeatWasSent) {
  const int64_t first = runners_.runners[serving_].LastExpiry();
  EXPECT_EQ(first, absl::ToInt64Nanoseconds(clock_.BootTime() + absl::Seconds(30)));
  clock_.Advance(absl::Seconds(5));
  const absl::Duration sent_at = clock_.BootTime();
  const WorkerDelta heartbeat = Sent();
  ASSERT_TRUE(heartbeat.has_heartbeat());
  clock_.Advance(absl::Seconds(3));
  SchedulerDelta delta;
  delta.set_heartbeat_acknowledged(heartbeat.heartbeat().sequence());
  agent_.OnDelta(delta);
  EXPECT_EQ(runners_.runners[serving_].LastExpiry(),
            absl::ToInt64Nanoseconds(sent_at + absl::Seconds(30)));
}

TEST_F(AgentTest, EndsItsAttemptsWhenTheLeaseExpires) {
  Assign(MakeTrain(TestKey(1)));
  Assign(MakeNoop(TestKey(2)));
  Started(2, TestKey(1));
  Sent();
  agent_.OnDetached();
  clock_.Advance(absl::Seconds(29));
  agent_.Tick();
  EXPECT_FALSE(runners_.runners[2].killed);
  clock_.Advance(absl::Seconds(1));
  agent_.Tick();
  EXPECT_TRUE(runners_.runners[2].killed);
  EXPECT_TRUE(runners_.runners[serving_].killed);
  agent_.OnExit(2, RunnerExit{.signal = 9});
  agent_.OnExit(serving_, RunnerExit{.signal = 9});
  EXPECT_EQ(Attach().attempts_size(), 0);
  EXPECT_THAT(runners_.Last().Starts(), IsEmpty());
}

TEST_F(AgentTest, RefusesASchedulerOfALowerEpoch) {
  EXPECT_TRUE(agent_.CheckEpoch(7).ok());
  EXPECT_TRUE(agent_.CheckEpoch(7).ok());
  EXPECT_EQ(agent_.CheckEpoch(6).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(agent_.BuildHello().epoch_seen(), 7u);
}

TEST_F(AgentTest, DrainReturnsAStoppedTrainingAfterItsCheckpoint) {
  Assign(MakeTrain(TestKey(1)));
  Started(2, TestKey(1));
  Sent();
  agent_.BeginDrain();
  EXPECT_THAT(runners_.runners[2].Cancels(), ElementsAre(1));
  EXPECT_TRUE(runners_.runners[2].frames.back().cancel(0).checkpoint_first());
  FromRunner frame;
  auto* report = frame.add_reports();
  *report->mutable_ref() = RefOf(TestKey(1));
  report->mutable_checkpoint()->mutable_artifact()->set_name("checkpoint");
  agent_.OnFrame(2, frame);
  Finished(2, TestKey(1), Attempt::CANCELLED);
  EXPECT_TRUE(agent_.Working());
  agent_.OnExit(2, RunnerExit{});
  EXPECT_FALSE(agent_.Working());
  const WorkerDelta sent = Sent();
  EXPECT_TRUE(sent.draining());
  ASSERT_EQ(sent.reports_size(), 2);
  EXPECT_TRUE(sent.reports(0).has_checkpoint());
  EXPECT_TRUE(sent.reports(1).has_returned());
}

TEST_F(AgentTest, KeepsWhatComesDuringADrainUnstartedAndReturnsItAtTheEnd) {
  agent_.BeginDrain();
  Assign(MakeNoop(TestKey(1)));
  EXPECT_THAT(runners_.runners[serving_].Starts(), IsEmpty());
  EXPECT_THAT(SentReports(), IsEmpty());
  agent_.EndDrain();
  EXPECT_THAT(SentReports(), ElementsAre(AttemptReport::kReturned));
}

TEST_F(AgentTest, KillsARunnerThatGivesNoSignOfLife) {
  for (int i = 0; i < 6; ++i) {
    clock_.Advance(absl::Seconds(5));
    FromRunner frame;
    frame.mutable_health();
    agent_.OnFrame(serving_, frame);
    agent_.Tick();
  }
  EXPECT_FALSE(runners_.runners[serving_].killed);
  clock_.Advance(absl::Seconds(31));
  agent_.Tick();
  EXPECT_TRUE(runners_.runners[serving_].killed);
}

}  // namespace
}  // namespace switchyard::worker
