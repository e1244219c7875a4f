#include "worker/runner/attempt_runner.h"

#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "worker/tasks/noop/noop.h"
#include "worker/testing/assignments.h"
#include "worker/testing/processes.h"

namespace switchyard::worker {
namespace {

using ::switchyard::v1::Attempt;
using ::switchyard::v1::Job;
using ::switchyard::v1::NoopSpec;
using ::switchyard::worker::v1::Assignment;
using ::switchyard::worker::v1::AttemptReport;
using ::switchyard::worker::v1::FromRunner;
using ::switchyard::worker::v1::ToRunner;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Does what the test says.
class ScriptedExecutor final : public Executor {
 public:
  using Script = std::function<absl::StatusOr<Job>(AttemptContext&)>;
  ScriptedExecutor(absl::Status prepare, Script run)
      : prepare_(std::move(prepare)), run_(std::move(run)) {}
  absl::Status Prepare(AttemptContext&, const Job&, const Assignment&) override { return prepare_; }
  absl::StatusOr<Job> Run(AttemptContext& context) override { return run_(context); }

 private:
  const absl::Status prepare_;
  const Script run_;
};

absl::StatusOr<Job> UntilCancelled(AttemptContext& context) {
  while (!context.Cancelled()) usleep(500);
  return absl::CancelledError("asked to");
}

absl::StatusOr<Job> UntilStopped(AttemptContext& context) {
  while (!context.StopRequested() && !context.Cancelled()) usleep(500);
  if (context.Cancelled()) return absl::CancelledError("asked to");
  context.EndsEarly();
  Job result;
  result.mutable_train_result();
  return result;
}

class AttemptRunnerTest : public ::testing::Test {
 protected:
  AttemptRunnerTest() : artifacts_(*OpenDirectoryStore(folder_.path() + "/artifacts")) {
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fds_), 0);
    sender_ = std::make_unique<FrameSender>(fds_[0]);
    outbox_ = std::make_unique<Outbox>(*sender_, SystemClock());
    timers_ = std::make_unique<Timers>(SystemClock());
    const DeviceHandle device{.device = "cpu", .name = "test processor", .threads = 1};
    surroundings_.reset(new RunnerSurroundings{.artifacts = *artifacts_,
                                               .outbox = *outbox_,
                                               .clock = SystemClock(),
                                               .device = device,
                                               .work_dir = folder_.path() + "/work",
                                               .data_roots = {}});
    reader_ = std::make_unique<FrameReader>(fds_[1]);
    Make(/*own=*/false);
  }
  ~AttemptRunnerTest() override {
    runner_.reset();
    timers_.reset();
    outbox_.reset();
    sender_.reset();
    close(fds_[0]);
    close(fds_[1]);
  }

  void Make(bool own) {
    KindFactories factories{.executor = [this](absl::string_view) -> std::unique_ptr<Executor> {
                              return std::make_unique<ScriptedExecutor>(prepare_, script_);
                            },
                            .timed_task = [](absl::string_view kind) -> std::unique_ptr<TimedTask> {
                              return kind == "noop" ? MakeNoopTask() : nullptr;
                            }};
    runner_ =
        std::make_unique<AttemptRunner>(*surroundings_, *timers_, std::move(factories), own, [] {});
  }

  void Start(std::vector<Assignment> assignments, uint32_t limit = 4) {
    ToRunner frame;
    for (const auto job_class : {::switchyard::v1::TRAINING, ::switchyard::v1::INFERENCE}) {
      auto* entry = frame.add_limits();
      entry->set_job_class(job_class);
      entry->set_max_running(limit);
    }
    for (auto& assignment : assignments) *frame.add_start() = std::move(assignment);
    runner_->Apply(frame);
  }
  void Cancel(const AttemptKey& key, bool checkpoint_first = false) {
    ToRunner frame;
    auto* cancel = frame.add_cancel();
    *cancel->mutable_ref() = RefOf(key);
    cancel->set_checkpoint_first(checkpoint_first);
    runner_->Apply(frame);
  }

  // The next report of this kind, other frames' events being collected on the way.
  AttemptReport Next(AttemptReport::ReportCase kind) {
    while (true) {
      while (!reports_.empty()) {
        AttemptReport report = reports_.front();
        reports_.erase(reports_.begin());
        if (report.report_case() == kind) return report;
      }
      FromRunner frame;
      if (!*reader_->Read(&frame)) return {};
      for (auto& events : frame.events()) {
        for (auto& event : events.events()) events_.push_back(event);
      }
      for (auto& report : frame.reports()) reports_.push_back(report);
    }
  }
  AttemptReport NextFinished() { return Next(AttemptReport::kFinished); }

  Assignment Train(uint64_t job, absl::Duration timeout = absl::ZeroDuration()) {
    Job spec;
    spec.mutable_train();
    if (timeout > absl::ZeroDuration()) {
      spec.mutable_timeout()->set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(timeout)));
    }
    return MakeAssignment(TestKey(job), spec, ::switchyard::v1::TRAINING, job);
  }

  TestFolder folder_;
  std::unique_ptr<ArtifactStore> artifacts_;
  int fds_[2];
  std::unique_ptr<FrameSender> sender_;
  std::unique_ptr<Outbox> outbox_;
  std::unique_ptr<Timers> timers_;
  std::unique_ptr<RunnerSurroundings> surroundings_;
  std::unique_ptr<FrameReader> reader_;
  absl::Status prepare_;
  ScriptedExecutor::Script script_ = UntilCancelled;
  std::vector<AttemptReport> reports_;
  std::vector<::switchyard::v1::JobEvent> events_;
  std::unique_ptr<AttemptRunner> runner_;
};

TEST_F(AttemptRunnerTest, RunsNoopsInRankOrderAndReportsThemInOneFrame) {
  Start({MakeNoop(TestKey(1), nullptr, 3), MakeNoop(TestKey(2), nullptr, 1),
         MakeNoop(TestKey(3), nullptr, 2)},
        1);
  FromRunner frame;
  ASSERT_TRUE(*reader_->Read(&frame));
  std::vector<uint64_t> jobs;
  for (const auto& report : frame.reports()) jobs.push_back(report.ref().job());
  EXPECT_THAT(jobs, ElementsAre(2, 3, 1));
}

TEST_F(AttemptRunnerTest, FailsANoopAsItsSpecSays) {
  Start({MakeNoop(TestKey(1), [](NoopSpec& spec) { spec.set_fail_with("no luck"); })});
  const AttemptReport report = NextFinished();
  EXPECT_EQ(report.finished().outcome(), Attempt::FAILED);
  EXPECT_EQ(report.finished().error().message(), "no luck");
  EXPECT_TRUE(report.finished().permanent());
}

TEST_F(AttemptRunnerTest, HoldsANoopWithoutAThreadAndStartsTheNextWhenItEnds) {
  Start({MakeNoop(
             TestKey(1), [](NoopSpec& spec) { spec.mutable_hold()->set_nanos(5'000'000); }, 1),
         MakeNoop(TestKey(2), nullptr, 2)},
        1);
  EXPECT_EQ(Next(AttemptReport::kStarted).ref().job(), 1u);
  const AttemptReport first = NextFinished();
  EXPECT_EQ(first.ref().job(), 1u);
  EXPECT_GE(first.finished().run().nanos(), 5'000'000);
  EXPECT_EQ(NextFinished().ref().job(), 2u);
  runner_->WaitIdle();
}

TEST_F(AttemptRunnerTest, ReportsAResultWithItsTimesAndEventsBeforeIt) {
  script_ = [](AttemptContext& context) -> absl::StatusOr<Job> {
    context.Progress(0.5, "half");
    context.Metric("train/loss", 1, 0.25);
    context.Log(api::LogLine::INFO, "a line");
    context.Progress(1, "done");
    api::OutputArtifact output;
    output.set_name("curves.csv");
    context.AddOutput(output);
    Job result;
    result.mutable_train_result();
    return result;
  };
  Start({Train(1)});
  EXPECT_EQ(Next(AttemptReport::kStarted).started().phase(), Job::PREPARING);
  const AttemptReport report = NextFinished();
  EXPECT_EQ(report.finished().outcome(), Attempt::SUCCEEDED);
  EXPECT_EQ(report.finished().device_name(), "test processor");
  ASSERT_EQ(report.finished().outputs_size(), 1);
  EXPECT_EQ(report.finished().outputs(0).attempt(), 1u);
  std::vector<std::string> told;
  for (const auto& event : events_) {
    if (event.has_log()) told.push_back(event.log().text());
    if (event.has_metric()) told.push_back(event.metric().name());
  }
  EXPECT_THAT(told, ElementsAre("train/loss", "a line"));
  ASSERT_TRUE(events_.back().has_progress());
  EXPECT_EQ(events_.back().progress().message(), "done");
  EXPECT_EQ(events_.back().progress().phase(), Job::WORKING);
}

TEST_F(AttemptRunnerTest, TurnsWhatIsThrownIntoAnErrorOfOneLine) {
  script_ = [](AttemptContext&) -> absl::StatusOr<Job> {
    throw std::runtime_error("the reason\n a stack trace");
  };
  Start({Train(1)});
  const AttemptReport report = NextFinished();
  EXPECT_EQ(report.finished().error().code(), static_cast<int>(absl::StatusCode::kInternal));
  EXPECT_EQ(report.finished().error().message(), "the reason");
  EXPECT_FALSE(report.finished().permanent());
}

TEST_F(AttemptRunnerTest, TurnsBadAllocIntoOutOfMemory) {
  script_ = [](AttemptContext&) -> absl::StatusOr<Job> { throw std::bad_alloc(); };
  Start({Train(1)});
  EXPECT_TRUE(NextFinished().finished().out_of_memory());
}

TEST_F(AttemptRunnerTest, DoesNotRunWhatCannotBePrepared) {
  prepare_ = absl::NotFoundError("the folder digits does not exist");
  Start({Train(1)});
  const AttemptReport report = NextFinished();
  EXPECT_TRUE(report.finished().permanent());
  EXPECT_THAT(report.finished().error().message(), HasSubstr("digits"));
}

TEST_F(AttemptRunnerTest, ConfirmsACancelAtOnceAndKeepsThePlaceUntilTheThreadEnds) {
  std::atomic<bool> go_on = false;
  script_ = [&](AttemptContext& context) -> absl::StatusOr<Job> {
    while (!go_on) usleep(500);
    return UntilCancelled(context);
  };
  Start({Train(1), Train(2)}, 1);
  Next(AttemptReport::kStarted);
  Cancel(TestKey(1));
  EXPECT_EQ(NextFinished().finished().outcome(), Attempt::CANCELLED);
  EXPECT_TRUE(runner_->HoldsAttempts());
  go_on = true;
  EXPECT_EQ(Next(AttemptReport::kStarted).ref().job(), 2u);
  Cancel(TestKey(2));
  // The first one's late result was discarded.
  EXPECT_EQ(NextFinished().ref().job(), 2u);
}

TEST_F(AttemptRunnerTest, GivesAnAttemptInARunnerOfItsOwnTheTimeToEnd) {
  Make(/*own=*/true);
  script_ = UntilStopped;
  Start({Train(1)});
  Next(AttemptReport::kStarted);
  Cancel(TestKey(1), /*checkpoint_first=*/true);
  const AttemptReport report = NextFinished();
  EXPECT_EQ(report.finished().outcome(), Attempt::CANCELLED);
  EXPECT_FALSE(report.finished().result().empty());
}

TEST_F(AttemptRunnerTest, AStopThatCrossesTheEndLeavesTheResultWhole) {
  Make(/*own=*/true);
  script_ = [](AttemptContext& context) -> absl::StatusOr<Job> {
    while (!context.StopRequested()) usleep(500);
    Job result;
    result.mutable_train_result();
    return result;
  };
  Start({Train(1)});
  Next(AttemptReport::kStarted);
  Cancel(TestKey(1), /*checkpoint_first=*/true);
  EXPECT_EQ(NextFinished().finished().outcome(), Attempt::SUCCEEDED);
}

TEST_F(AttemptRunnerTest, TellsAPreemptedAttemptItsGrace) {
  Make(/*own=*/true);
  std::atomic<double> left = -1;
  std::atomic<bool> before = false;
  absl::Notification looked;
  script_ = [&](AttemptContext& context) -> absl::StatusOr<Job> {
    before = context.Preempted() || context.GraceLeft() < absl::InfiniteDuration();
    looked.Notify();
    while (!context.StopRequested()) usleep(500);
    if (context.Preempted()) left = absl::ToDoubleSeconds(context.GraceLeft());
    return absl::CancelledError("preempted");
  };
  Start({Train(1)});
  looked.WaitForNotification();
  ToRunner frame;
  auto* cancel = frame.add_cancel();
  *cancel->mutable_ref() = RefOf(TestKey(1));
  cancel->set_checkpoint_first(true);
  cancel->set_preempt(true);
  cancel->mutable_grace()->set_seconds(30);
  runner_->Apply(frame);
  EXPECT_EQ(NextFinished().finished().outcome(), Attempt::CANCELLED);
  EXPECT_FALSE(before);
  EXPECT_GT(left, 20);
  EXPECT_LE(left, 30);
}

TEST_F(AttemptRunnerTest, HandsBackWhatExpiredWhileItWaited) {
  Job spec;
  spec.mutable_train();
  spec.mutable_expire_time()->set_seconds(1000);
  Start({MakeAssignment(TestKey(1), spec, ::switchyard::v1::TRAINING)});
  EXPECT_EQ(Next(AttemptReport::kReturned).ref().job(), 1u);
  EXPECT_FALSE(runner_->HoldsAttempts());
}

TEST_F(AttemptRunnerTest, ReportsMemoryPeakAndBatch) {
  struct Meter final : AttemptMemory {
    int64_t peak_bytes() const override { return 5000; }
  };
  int64_t limit = 0;
  surroundings_->meter = [&limit](int64_t bytes) {
    limit = bytes;
    return std::make_unique<Meter>();
  };
  script_ = [](AttemptContext& context) -> absl::StatusOr<Job> {
    context.SetBatch(16);
    return Job();
  };
  Assignment assignment = Train(1);
  assignment.set_memory_bytes(7000);
  Start({assignment});
  const AttemptReport report = NextFinished();
  EXPECT_EQ(limit, 7000);
  EXPECT_EQ(report.finished().memory_peak_bytes(), 5000);
  EXPECT_EQ(report.finished().batch(), 16u);
}

TEST_F(AttemptRunnerTest, TellsAnAttemptItsPlaceInAGang) {
  GangPlace seen;
  script_ = [&seen](AttemptContext& context) -> absl::StatusOr<Job> {
    seen = context.gang();
    return Job();
  };
  Assignment assignment = Train(1);
  assignment.add_devices("cuda:2");
  assignment.add_devices("cuda:3");
  assignment.mutable_gang()->set_size(4);
  assignment.mutable_gang()->set_rank(2);
  assignment.mutable_gang()->set_members(2);
  assignment.mutable_gang()->set_member(1);
  assignment.mutable_gang()->set_rendezvous("host-a:29500");
  Start({assignment});
  NextFinished();
  EXPECT_EQ(seen.size, 4u);
  EXPECT_EQ(seen.rank, 2u);
  EXPECT_EQ(seen.member, 1u);
  EXPECT_EQ(seen.rendezvous, "host-a:29500");
  EXPECT_THAT(seen.devices, ElementsAre("cuda:2", "cuda:3"));
}

TEST_F(AttemptRunnerTest, EndsWhatRunsLongerThanItsTimeout) {
  Start({Train(1, absl::Milliseconds(5))});
  const AttemptReport report = NextFinished();
  EXPECT_EQ(report.finished().outcome(), Attempt::TIMED_OUT);
  EXPECT_THAT(report.finished().error().message(), HasSubstr("timeout of 5ms"));
}

TEST_F(AttemptRunnerTest, HandsBackOnlyWhatHasNotStarted) {
  Start({Train(1), Train(2)}, 1);
  Next(AttemptReport::kStarted);
  ToRunner frame;
  *frame.add_recalls() = RefOf(TestKey(1));
  *frame.add_recalls() = RefOf(TestKey(2));
  runner_->Apply(frame);
  EXPECT_EQ(Next(AttemptReport::kReturned).ref().job(), 2u);
  Cancel(TestKey(1));
  EXPECT_EQ(NextFinished().ref().job(), 1u);
}

TEST_F(AttemptRunnerTest, RefusesAKindItDoesNotKnow) {
  Start({MakeAssignment(TestKey(1), Job(), ::switchyard::v1::INFERENCE)});
  const AttemptReport report = NextFinished();
  EXPECT_EQ(report.finished().error().code(), static_cast<int>(absl::StatusCode::kUnimplemented));
}

TEST_F(AttemptRunnerTest, GivesAnAttemptAScratchFolderAndRemovesIt) {
  std::string path;
  script_ = [&path](AttemptContext& context) -> absl::StatusOr<Job> {
    path = context.work_dir();
    std::ofstream(path + "/file") << "x";
    return Job();
  };
  Start({Train(1)});
  NextFinished();
  EXPECT_FALSE(path.empty());
  EXPECT_FALSE(std::filesystem::exists(path));
}

}  // namespace
}  // namespace switchyard::worker
