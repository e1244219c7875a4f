// Jobs that hang together, through engine and store: what is read of jobs that have ended, inputs
// that are resolved, and commands that concern many things at once.
#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "scheduler/engine/core_kinds.h"
#include "scheduler/engine/engine.h"
#include "scheduler/engine/row_codec.h"
#include "scheduler/store/memory_store.h"
#include "switchyard/v1/job.pb.h"

namespace switchyard::scheduler {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

class Output final : public EngineOutput {
 public:
  void Send(uint64_t, SessionOutput output) override {
    for (Assignment& each : output.assignments) assigned[each.attempt.ref.job] = std::move(each);
  }
  void Publish(absl::Span<const JobNotice>) override {}
  void Rebuilt(uint64_t) override {}
  std::map<JobId, Assignment> assigned;
};

class Resolver final : public InputResolver {
 public:
  absl::StatusOr<InputsResolved> Resolve(JobId job) override {
    ++calls;
    if (fails) return absl::UnavailableError("not now");
    InputsResolved resolved = answer;
    resolved.job = job;
    return resolved;
  }
  InputsResolved answer;
  bool fails = false;
  int calls = 0;
};

std::string Payload(const std::string& payload) {
  v1::Job job;
  job.mutable_noop()->set_payload(payload);
  return job.SerializeAsString();
}

class LinkedJobs : public testing::Test {
 protected:
  LinkedJobs() { Restart(); }

  void Restart() {
    EngineOptions options;
    options.core.kinds = CoreKinds();
    options.log = false;
    options.resolver = &resolver_;
    engine_ = std::make_unique<Engine>(std::move(options), store_, clock_, output_);
    ASSERT_TRUE(engine_->Start().ok());
    output_.assigned.clear();
    Input attach;
    attach.event = WorkerAttached{.session = ++session_,
                                  .worker = "w",
                                  .incarnation = std::to_string(session_),
                                  .devices = {{.device = "cpu"}},
                                  .kinds = {"noop"}};
    inbox_.push_back(std::move(attach));
    Drain();
  }
  void Drain() {
    do {
      engine_->Drain(inbox_);
    } while (!inbox_.empty() || engine_->TimeToWakeup() == absl::ZeroDuration());
  }
  CommandResult Call(Input input) {
    CommandResult answer;
    input.tenant = "t";
    input.done = [&](CommandResult result) { answer = std::move(result); };
    inbox_.push_back(std::move(input));
    Drain();
    return answer;
  }
  CommandResult Call(Event event) {
    Input input;
    input.event = std::move(event);
    return Call(std::move(input));
  }
  static NewJob After(std::vector<JobId> jobs) {
    NewJob job{.kind = v1::Job::kNoop};
    for (const JobId each : jobs) job.depends_on.push_back({{each, 1}});
    return job;
  }
  CommandResult Submit(std::vector<NewJob> jobs, std::vector<std::string> specs = {Payload("x")}) {
    Input input;
    input.event = SubmitJobs{.jobs = std::move(jobs)};
    input.specs = std::move(specs);
    return Call(std::move(input));
  }
  void Finish(JobId job, Outcome outcome = Outcome::kSucceeded) {
    ASSERT_EQ(output_.assigned.count(job), 1u);
    Finished finished{.outcome = outcome, .result = "", .permanent = true};
    Input report;
    report.event = WorkerReports{
        .session = session_, .reports = {{output_.assigned[job].attempt.ref, std::move(finished)}}};
    output_.assigned.erase(job);
    inbox_.push_back(std::move(report));
    Drain();
  }
  JobImage Of(JobId job) {
    JobImage image;
    EXPECT_TRUE(DecodeRow(*store_.GetJob(job), image).ok());
    return image;
  }
  v1::Job Assigned(JobId job) {
    v1::Job assigned;
    EXPECT_TRUE(assigned.ParseFromString(output_.assigned[job].job));
    return assigned;
  }

  FakeClock clock_;
  MemoryStore store_;
  Output output_;
  Resolver resolver_;
  std::unique_ptr<Engine> engine_;
  std::deque<Input> inbox_;
  uint64_t session_ = 0;
};

TEST_F(LinkedJobs, AJobMayDependOnOneThatEndedLongAgo) {
  const JobId done = Submit({After({})}).job;
  Finish(done);
  Restart();
  const CommandResult answer = Submit({After({done})});
  ASSERT_TRUE(answer.status.ok()) << answer.status;
  EXPECT_EQ(output_.assigned.count(answer.job), 1u);
}

TEST_F(LinkedJobs, AJobThatFailedLongAgoCannotBeDependedOn) {
  const JobId failed = Submit({After({})}).job;
  Finish(failed, Outcome::kFailed);
  Restart();
  EXPECT_TRUE(absl::IsFailedPrecondition(Submit({After({failed})}).status));
  EXPECT_TRUE(absl::IsNotFound(Submit({After({failed + 1000})}).status));
}

TEST_F(LinkedJobs, ARetryLongAfterLetsThoseWaitAgainThatTheFailureEnded) {
  NewJob second{.kind = v1::Job::kNoop};
  second.depends_on.push_back({{0, 1}, /*in_submit=*/true});
  NewJob third{.kind = v1::Job::kNoop};
  third.depends_on.push_back({{1, 1}, /*in_submit=*/true});
  const JobId first = Submit({After({}), second, third}).job;
  Finish(first, Outcome::kFailed);
  EXPECT_EQ(Of(first + 2).reason, Reason::kUpstreamFailed);
  Restart();
  ASSERT_TRUE(Call(RetryJob{.job = first}).status.ok());
  EXPECT_EQ(Of(first + 1).state, JobState::kBlocked);
  EXPECT_EQ(Of(first + 2).state, JobState::kBlocked);
  Finish(first);
  Finish(first + 1);
  Finish(first + 2);
  EXPECT_EQ(Of(first + 2).state, JobState::kSucceeded);
}

TEST_F(LinkedJobs, AJobRunsWithTheInputsThatWereResolved) {
  NewJob wired = After({});
  wired.wiring = "wires";
  resolver_.answer.inputs = Payload("resolved");
  const JobId job = Submit({wired}).job;
  EXPECT_EQ(resolver_.calls, 1);
  EXPECT_EQ(Assigned(job).noop().payload(), "resolved");
  Restart();
  EXPECT_EQ(resolver_.calls, 1);
  EXPECT_EQ(Assigned(job).noop().payload(), "resolved");
}

TEST_F(LinkedJobs, InputsThatCannotBeReadNowAreReadLater) {
  NewJob wired = After({});
  wired.wiring = "wires";
  resolver_.fails = true;
  const JobId job = Submit({wired}).job;
  EXPECT_EQ(Of(job).state, JobState::kBlocked);
  EXPECT_GT(engine_->TimeToWakeup(), absl::ZeroDuration());
  resolver_.fails = false;
  clock_.Advance(absl::Seconds(1));
  Drain();
  EXPECT_EQ(output_.assigned.count(job), 1u);
}

TEST_F(LinkedJobs, ASuccessIsRememberedForThoseThatWouldDoTheSame) {
  NewJob reusing = After({});
  reusing.reuse = true;
  resolver_.answer.reuse_key = "key";
  const JobId job = Submit({reusing}).job;
  const DocumentKey key{kReuseCollection, "t", absl::BytesToHexString("key")};
  EXPECT_FALSE(store_.GetDocument(key)->has_value());
  Finish(job);
  ASSERT_TRUE(store_.GetDocument(key)->has_value());
  EXPECT_EQ((*store_.GetDocument(key))->bytes, FormatJobId(job));
}

TEST_F(LinkedJobs, WhatIsRememberedOfAJobGoesWithIt) {
  NewJob reusing = After({});
  reusing.reuse = true;
  resolver_.answer.reuse_key = "key";
  const DocumentKey key{kReuseCollection, "t", absl::BytesToHexString("key")};
  const JobId first = Submit({reusing}).job;
  Finish(first);
  const JobId second = Submit({reusing}).job;
  Finish(second);
  // The newer one has taken its place.
  ASSERT_TRUE(Call(DeleteJob{.job = first}).status.ok());
  ASSERT_TRUE(store_.GetDocument(key)->has_value());
  EXPECT_EQ((*store_.GetDocument(key))->bytes, FormatJobId(second));
  Input input;
  input.many = ManyJobs{.verb = ManyJobs::kDelete, .jobs = {second}};
  ASSERT_TRUE(Call(std::move(input)).status.ok());
  EXPECT_FALSE(store_.GetDocument(key)->has_value());
}

TEST_F(LinkedJobs, AnArrayHasOneSpecAndItsJobsKnowTheirPlace) {
  std::vector<NewJob> jobs(3, After({}));
  for (NewJob& job : jobs) job.array = {.id = 0, .width = 3};
  const JobId first = Submit(std::move(jobs), {Payload("same")}).job;
  for (uint32_t i = 0; i < 3; ++i) {
    EXPECT_EQ(Assigned(first + i).noop().payload(), "same");
    EXPECT_EQ(Assigned(first + i).array(), FormatJobId(first));
    EXPECT_EQ(Assigned(first + i).array_index(), i);
  }
}

TEST_F(LinkedJobs, ACommandOnManyIsTakenAtOnceWithItsDocument) {
  const JobId first = Submit({After({}), After({}), After({})}).job;
  Finish(first);
  Input input;
  input.more = {CancelJob{.job = first}, CancelJob{.job = first + 1}, CancelJob{.job = first + 9}};
  input.documents = [](const CommandResult&, std::vector<DocumentWrite>& documents) {
    documents.push_back({{"c", "t", "d"}, "cancelled"});
  };
  ASSERT_TRUE(Call(std::move(input)).status.ok());
  EXPECT_EQ(Of(first).state, JobState::kSucceeded);
  EXPECT_EQ(Of(first + 1).state, JobState::kCancelling);
  EXPECT_EQ(Of(first + 2).state, JobState::kQueued);
  EXPECT_EQ((*store_.GetDocument({"c", "t", "d"}))->bytes, "cancelled");
}

TEST_F(LinkedJobs, WhatIsPreparedSeesWhatTheSameDrainWillStore) {
  const auto append = [](const std::string& what) {
    Input input;
    auto whole = std::make_shared<std::string>();
    input.prepare = [=](DrainView& view, Input&) {
      const auto found = view.FindDocument({"c", "t", "d"});
      *whole = found.ok() && found->has_value() ? (*found)->bytes + what : what;
      return whole->size() > 2 ? absl::FailedPreconditionError("full") : absl::OkStatus();
    };
    input.documents = [=](const CommandResult&, std::vector<DocumentWrite>& documents) {
      documents.push_back({{"c", "t", "d"}, *whole});
    };
    input.tenant = "t";
    return input;
  };
  std::vector<absl::Status> answers;
  for (const char* what : {"a", "b", "c"}) {
    Input input = append(what);
    input.done = [&](CommandResult result) { answers.push_back(result.status); };
    inbox_.push_back(std::move(input));
  }
  Drain();
  ASSERT_THAT(answers, SizeIs(3));
  EXPECT_TRUE(absl::IsFailedPrecondition(answers[2]));
  EXPECT_EQ((*store_.GetDocument({"c", "t", "d"}))->bytes, "ab");
}

}  // namespace
}  // namespace switchyard::scheduler
