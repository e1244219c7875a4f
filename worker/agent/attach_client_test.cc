// The stream against a scheduler over real gRPC, in this process.
#include "worker/agent/attach_client.h"

#include <memory>

#include "gtest/gtest.h"
#include "worker/testing/assignments.h"
#include "worker/testing/fake_runners.h"
#include "worker/testing/fake_scheduler.h"

namespace switchyard::worker {
namespace {

using ::switchyard::worker::v1::AttemptReport;
using ::switchyard::worker::v1::FromRunner;
using ::switchyard::worker::v1::SchedulerDelta;

class AttachClientTest : public ::testing::Test {
 protected:
  AttachClientTest()
      : agent_({.worker = "w1", .incarnation = "i1"}, runners_, segments_, SystemClock(),
               [this] { client_->Wake(); }) {
    client_ = std::make_unique<AttachClient>(std::vector<std::string>{scheduler_->address()}, agent_, SystemClock());
    agent_.Begin();
    FromRunner hello;
    hello.mutable_hello()->add_kinds("noop");
    agent_.OnFrame(runners_.last, hello);
  }
  ~AttachClientTest() override { client_->Stop(); }

  void Finish(const AttemptKey& key) {
    FromRunner frame;
    *frame.add_reports()->mutable_ref() = RefOf(key);
    frame.mutable_reports(0)->mutable_finished();
    agent_.OnFrame(runners_.last, frame);
  }
  SchedulerDelta AssignNoop(uint64_t job) {
    SchedulerDelta delta;
    *delta.add_assignments() = MakeNoop(TestKey(job));
    return delta;
  }

  std::unique_ptr<FakeScheduler> scheduler_ = std::make_unique<FakeScheduler>();
  FakeRunners runners_;
  FakeSegmentStore segments_;
  std::unique_ptr<AttachClient> client_;
  Agent agent_;
};

TEST_F(AttachClientTest, SaysHelloWithWhatTheRunnerCanDo) {
  client_->Start();
  const auto hello = scheduler_->WaitForHello();
  EXPECT_EQ(hello.worker(), "w1");
  ASSERT_EQ(hello.kinds_size(), 1);
}

TEST_F(AttachClientTest, SendsAReportAtOnceAndForgetsItWhenAcknowledged) {
  client_->Start();
  scheduler_->WaitForHello();
  scheduler_->Send(AssignNoop(1));
  while (agent_.Figures().held == 0) std::this_thread::yield();
  Finish(TestKey(1));
  EXPECT_TRUE(scheduler_->WaitForFinished(TestKey(1)).has_finished());
  while (agent_.Unacknowledged()) std::this_thread::yield();
}

TEST_F(AttachClientTest, ComesBackWhenTheSchedulerIsRestartedAndRepeatsTheReport) {
  scheduler_->set_acknowledge(false);
  client_->Start();
  scheduler_->WaitForHello();
  scheduler_->Send(AssignNoop(1));
  while (agent_.Figures().held == 0) std::this_thread::yield();
  Finish(TestKey(1));
  scheduler_->WaitForFinished(TestKey(1));
  const int port = scheduler_->port();
  scheduler_.reset();
  scheduler_ = std::make_unique<FakeScheduler>(port);
  const auto hello = scheduler_->WaitForHello();
  ASSERT_EQ(hello.attempts_size(), 1);
  EXPECT_TRUE(hello.attempts(0).has_finished());
  EXPECT_TRUE(scheduler_->WaitForFinished(TestKey(1)).has_finished());
}

TEST_F(AttachClientTest, LeavesASchedulerOfALowerEpochThanItHasSeen) {
  scheduler_->set_epoch(5);
  client_->Start();
  scheduler_->WaitForHello();
  while (!agent_.Figures().attached) std::this_thread::yield();
  scheduler_->set_epoch(4);
  scheduler_->Disconnect();
  EXPECT_EQ(scheduler_->WaitForHello(2).epoch_seen(), 5u);
  EXPECT_EQ(scheduler_->WaitForHello(3).epoch_seen(), 5u);
  EXPECT_FALSE(agent_.Figures().attached);
}

TEST(BackOff, DoublesToTwoSecondsWithJitter) {
  BackOff back_off(42);
  absl::Duration top = absl::Milliseconds(50);
  for (int i = 0; i < 10; ++i) {
    const absl::Duration wait = back_off.Next();
    EXPECT_GE(wait, top / 2);
    EXPECT_LE(wait, top);
    top = std::min(top * 2, absl::Seconds(2));
  }
  back_off.Reset();
  EXPECT_LE(back_off.Next(), absl::Milliseconds(50));
}

}  // namespace
}  // namespace switchyard::worker
