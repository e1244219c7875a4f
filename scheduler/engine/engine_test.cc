#include "scheduler/engine/engine.h"

#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "scheduler/engine/core_kinds.h"
#include "scheduler/engine/row_codec.h"
#include "scheduler/store/forwarding_store.h"
#include "scheduler/store/memory_store.h"
#include "scheduler/store/sqlite_store.h"
#include "switchyard/v1/job.pb.h"
#include "switchyard/v1/model_service.pb.h"

namespace switchyard::scheduler {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// Fails as the test says.
class SwitchedFaults final : public StoreFaults {
 public:
  StoreFault OnWrite() override { return {std::exchange(next_write, StoreFault::kNone)}; }
  StoreFault OnRead() override { return {reads_fail ? StoreFault::kFail : StoreFault::kNone}; }
  StoreFault::Kind next_write = StoreFault::kNone;
  bool reads_fail = false;
};

// Counts commits and can look on while one happens.
class WatchedStore final : public ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;
  absl::Status Commit(uint64_t epoch, const WriteBatch& batch) override {
    if (before_commit) before_commit();
    ++commits;
    for (const JobRow& row : batch.inserts) ++row_writes[row.id];
    for (const JobUpdate& row : batch.updates) ++row_writes[row.id];
    return store_.Commit(epoch, batch);
  }
  absl::StatusOr<JobRow> GetJob(JobId id) override {
    if (id == damaged_row) return absl::DataLossError("the row is damaged");
    return store_.GetJob(id);
  }
  absl::StatusOr<std::vector<std::string>> GetSpecs(absl::Span<const JobId> ids) override {
    specs_read += ids.size();
    if (damaged_spec != 0 && std::count(ids.begin(), ids.end(), damaged_spec) != 0) {
      return absl::DataLossError("the spec is damaged");
    }
    return store_.GetSpecs(ids);
  }

  std::function<void()> before_commit;
  int commits = 0;
  size_t specs_read = 0;
  JobId damaged_spec = 0;
  JobId damaged_row = 0;
  std::map<JobId, int> row_writes;
};

// A worker's and the watchers' end of the engine.
class RecordedOutput final : public EngineOutput {
 public:
  void Send(uint64_t epoch, SessionOutput output) override {
    last_epoch = epoch;
    if (output.close) closed.push_back(output.session);
    sent.push_back(std::move(output));
  }
  void Publish(absl::Span<const JobNotice> notices) override {
    for (const JobNotice& notice : notices) {
      published.push_back({notice.id, notice.state});
      const int told = (notice.row != nullptr) + (notice.image != nullptr);
      EXPECT_EQ(told, notice.kind == Change::kDeleted ? 0 : 1);
    }
  }
  void Rebuilt(uint64_t epoch) override { rebuilt.push_back(epoch); }

  std::vector<Assignment> TakeAssignments() {
    std::vector<Assignment> assignments;
    for (SessionOutput& output : sent) {
      for (Assignment& each : output.assignments) assignments.push_back(std::move(each));
    }
    sent.clear();
    return assignments;
  }

  uint64_t last_epoch = 0;
  std::vector<SessionOutput> sent;
  std::vector<uint64_t> closed;
  std::vector<std::pair<JobId, JobState>> published;
  std::vector<uint64_t> rebuilt;
};

std::string NoopSpec(const std::string& payload) {
  v1::Job job;
  job.set_priority(5);
  job.set_device("auto");
  (*job.mutable_labels())["team"] = "a";
  job.mutable_noop()->set_payload(payload);
  return job.SerializeAsString();
}

class EngineTest : public testing::Test {
 protected:
  EngineTest() : memory_(&faults_), store_(memory_) { Restart(); }

  virtual EngineOptions Options() {
    EngineOptions options;
    options.core.kinds = CoreKinds();
    options.log = false;
    return options;
  }
  void Restart() {
    engine_.reset();
    engine_ = std::make_unique<Engine>(Options(), store_, clock_, output_);
    ASSERT_TRUE(engine_->Start().ok());
  }

  // Puts an input in the inbox; its answer will be in answers_ at the returned index.
  size_t Put(Event event, const std::string& request_id = "", const std::string& tenant = "default",
             const std::string& body = "body") {
    Input input;
    if (auto* submit = std::get_if<SubmitJobs>(&event)) {
      for (size_t i = 0; i < submit->jobs.size(); ++i) {
        input.specs.push_back(NoopSpec(absl::StrCat("payload ", i)));
      }
    }
    input.event = std::move(event);
    input.tenant = tenant;
    input.request.method = "Method";
    input.request.request_id = request_id;
    input.request.body_sha256 = body;
    const size_t index = answers_.size();
    answers_.emplace_back();
    input.done = [this, index](CommandResult result) { answers_[index] = std::move(result); };
    inbox_.push_back(std::move(input));
    return index;
  }
  void PutWorker(Event event) { inbox_.emplace_back().event = std::move(event); }
  void Drain() {
    do {
      engine_->Drain(inbox_);
    } while (!inbox_.empty());
  }
  const CommandResult& Call(Event event, const std::string& request_id = "",
                            const std::string& tenant = "default",
                            const std::string& body = "body") {
    const size_t index = Put(std::move(event), request_id, tenant, body);
    Drain();
    EXPECT_TRUE(answers_[index].has_value());
    return *answers_[index];
  }
  void Attach(uint64_t session) {
    PutWorker(WorkerAttached{.session = session,
                             .worker = "w1",
                             .incarnation = "a",
                             .devices = {{.device = "cpu"}},
                             .kinds = {"noop", "train", "predict"}});
    Drain();
  }
  void Finish(uint64_t session, const AttemptRef& ref, std::string result = "") {
    Finished finished{.outcome = Outcome::kSucceeded, .result = std::move(result)};
    PutWorker(WorkerReports{.session = session, .reports = {{ref, std::move(finished)}}});
    Drain();
  }
  static SubmitJobs Jobs(size_t count) {
    SubmitJobs submit;
    submit.jobs.resize(count, NewJob{.kind = v1::Job::kNoop});
    return submit;
  }

  FakeClock clock_;
  SwitchedFaults faults_;
  MemoryStore memory_;
  WatchedStore store_;
  RecordedOutput output_;
  std::unique_ptr<Engine> engine_;
  std::deque<Input> inbox_;
  std::deque<std::optional<CommandResult>> answers_;
};

TEST_F(EngineTest, AnAcceptedJobIsInTheStoreWithItsSpec) {
  const CommandResult& answer = Call(Jobs(1));
  ASSERT_TRUE(answer.status.ok()) << answer.status;
  EXPECT_EQ(answer.job_count, 1u);
  ASSERT_NE(answer.image, nullptr);
  EXPECT_EQ(answer.image->state, JobState::kQueued);
  const absl::StatusOr<JobRow> row = store_.GetJob(answer.job);
  ASSERT_TRUE(row.ok()) << row.status();
  EXPECT_EQ(row->spec, NoopSpec("payload 0"));
  EXPECT_EQ(row->tenant, "default");
  EXPECT_EQ(row->kind, static_cast<uint32_t>(v1::Job::kNoop));
}

TEST_F(EngineTest, ABatchGetsConsecutiveIdsInOrder) {
  const CommandResult& answer = Call(Jobs(3));
  EXPECT_EQ(answer.job_count, 3u);
  EXPECT_EQ(answer.image, nullptr);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(store_.GetJob(answer.job + i)->spec, NoopSpec(absl::StrCat("payload ", i)));
  }
}

TEST_F(EngineTest, WhatWaitsIsCommittedTogetherAndAnsweredAfterwards) {
  Attach(1);
  output_.sent.clear();
  for (int i = 0; i < 10; ++i) Put(Jobs(1));
  const int commits = store_.commits;
  store_.before_commit = [&] {
    for (const auto& answer : answers_) EXPECT_FALSE(answer.has_value());
    EXPECT_THAT(output_.sent, IsEmpty());
    EXPECT_THAT(output_.published, IsEmpty());
  };
  Drain();
  EXPECT_EQ(store_.commits, commits + 1);
  for (const auto& answer : answers_) EXPECT_TRUE(answer->status.ok());
  EXPECT_THAT(output_.published, SizeIs(10));
  EXPECT_THAT(output_.TakeAssignments(), SizeIs(10));
}

TEST_F(EngineTest, ADrainIsBounded) {
  for (int i = 0; i < 5000; ++i) Put(Jobs(1));
  engine_->Drain(inbox_);
  EXPECT_EQ(inbox_.size(), 5000u - 4096u);
  engine_->Drain(inbox_);
  EXPECT_TRUE(inbox_.empty());
}

TEST_F(EngineTest, AnAssignmentCarriesTheWholeJob) {
  Attach(1);
  const CommandResult answer = Call(Jobs(1));
  const std::vector<Assignment> assignments = output_.TakeAssignments();
  ASSERT_THAT(assignments, SizeIs(1));
  v1::Job job;
  ASSERT_TRUE(job.ParseFromString(assignments[0].job));
  EXPECT_EQ(job.id(), FormatJobId(answer.job));
  EXPECT_EQ(job.tenant(), "default");
  EXPECT_EQ(job.priority(), 5u);
  EXPECT_EQ(job.noop().payload(), "payload 0");
  EXPECT_EQ(job.labels().at("team"), "a");
  EXPECT_EQ(store_.specs_read, 0u);
}

TEST_F(EngineTest, AnAssignmentHasChangedLabelsAndPriority) {
  const CommandResult answer = Call(Jobs(1));
  v1::Job labels;
  (*labels.mutable_labels())["other"] = "b";
  ASSERT_TRUE(
      Call(UpdateJob{.job = answer.job, .priority = 2, .labels = labels.SerializeAsString()})
          .status.ok());
  Attach(1);
  const std::vector<Assignment> assignments = output_.TakeAssignments();
  ASSERT_THAT(assignments, SizeIs(1));
  v1::Job job;
  ASSERT_TRUE(job.ParseFromString(assignments[0].job));
  EXPECT_EQ(job.priority(), 2u);
  EXPECT_EQ(job.labels().size(), 1u);
  EXPECT_EQ(job.labels().at("other"), "b");
}

TEST_F(EngineTest, ARetriedJobIsNotSentWithTheExpireTimeThatHasPassed) {
  SubmitJobs submit = Jobs(1);
  submit.jobs[0].expire_us = absl::ToUnixMicros(clock_.Now()) + 1'000'000;
  const CommandResult answer = Call(submit);
  clock_.Advance(absl::Seconds(2));
  Drain();
  ASSERT_EQ(Call(RetryJob{.job = answer.job}).image->state, JobState::kQueued);
  Attach(1);
  const std::vector<Assignment> assignments = output_.TakeAssignments();
  ASSERT_THAT(assignments, SizeIs(1));
  v1::Job job;
  ASSERT_TRUE(job.ParseFromString(assignments[0].job));
  // Told, though it is none: what the spec said does not hold any more.
  EXPECT_TRUE(job.has_expire_time());
  EXPECT_EQ(job.expire_time().seconds(), 0);
}

TEST_F(EngineTest, APlainJobIsWrittenAtMostThreeTimes) {
  const CommandResult waiting = Call(Jobs(1));
  Attach(1);
  const AttemptRef first = output_.TakeAssignments().at(0).attempt.ref;
  PutWorker(WorkerReports{.session = 1, .reports = {{first, Started{.device = "cpu"}}}});
  Drain();
  Finish(1, first);
  EXPECT_EQ(store_.row_writes[waiting.job], 3);

  // One that finds a free device is inserted and handed out in one write.
  const CommandResult lucky = Call(Jobs(1));
  Finish(1, output_.TakeAssignments().at(0).attempt.ref);
  EXPECT_EQ(store_.row_writes[lucky.job], 2);
  EXPECT_EQ(store_.GetJob(lucky.job)->state, static_cast<uint32_t>(JobState::kSucceeded));
}

TEST_F(EngineTest, AStartedJobIsInTheLiveViewUntilItEnds) {
  const CommandResult job = Call(Jobs(1));
  Attach(1);
  const AttemptRef ref = output_.TakeAssignments().at(0).attempt.ref;
  EXPECT_EQ(engine_->live_view().Find(job.job), nullptr);
  PutWorker(WorkerReports{
      .session = 1,
      .reports = {{ref, Started{.device = "cpu", .phase = Phase::kWorking, .progress = 0.5}}}});
  Drain();
  const auto live = engine_->live_view().Find(job.job);
  ASSERT_NE(live, nullptr);
  EXPECT_EQ(live->state, JobState::kRunning);
  EXPECT_EQ(live->phase, Phase::kWorking);
  EXPECT_EQ(live->progress, 0.5);
  EXPECT_THAT(engine_->live_view().Jobs("default"), SizeIs(1));
  EXPECT_THAT(engine_->live_view().Jobs("other"), IsEmpty());
  Finish(1, ref);
  EXPECT_EQ(engine_->live_view().Find(job.job), nullptr);
}

TEST_F(EngineTest, TheFleetSnapshotFollowsAttachAndQueue) {
  Attach(1);
  const auto fleet = engine_->live_view().fleet();
  ASSERT_THAT(fleet->workers, SizeIs(1));
  EXPECT_EQ(fleet->workers[0].id, "w1");
  EXPECT_EQ(fleet->epoch, 1u);
  Call(Jobs(4));
  clock_.Advance(absl::Seconds(1));
  Drain();
  EXPECT_EQ(engine_->live_view().fleet()->queue.queued, 4u);
}

TEST_F(EngineTest, AFailedCommitPerformsNothingAndRebuildsUnderAHigherEpoch) {
  Attach(1);
  output_.sent.clear();
  output_.published.clear();
  faults_.next_write = StoreFault::kFail;
  const CommandResult& answer = Call(Jobs(1));
  EXPECT_TRUE(absl::IsUnavailable(answer.status)) << answer.status;
  EXPECT_THAT(output_.TakeAssignments(), IsEmpty());
  EXPECT_THAT(output_.published, IsEmpty());
  EXPECT_THAT(output_.closed, ElementsAre(1));
  EXPECT_EQ(engine_->core(), nullptr);
  Drain();
  ASSERT_NE(engine_->core(), nullptr);
  EXPECT_EQ(engine_->core()->epoch(), 2u);
  EXPECT_THAT(output_.rebuilt, ElementsAre(1, 2));
  EXPECT_THAT(memory_.AllJobs(), IsEmpty());
  EXPECT_TRUE(Call(Jobs(1)).status.ok());
}

TEST_F(EngineTest, TheRepeatOfACommandWithUnknownOutcomeGetsTheFirstAnswer) {
  faults_.next_write = StoreFault::kFailAfterCommit;
  EXPECT_TRUE(absl::IsUnavailable(Call(Jobs(2), "request").status));
  const CommandResult& repeat = Call(Jobs(2), "request");
  ASSERT_TRUE(repeat.status.ok()) << repeat.status;
  EXPECT_TRUE(repeat.repeated);
  EXPECT_EQ(repeat.job_count, 2u);
  EXPECT_THAT(memory_.AllJobs(), SizeIs(2));
  EXPECT_EQ(memory_.AllJobs()[0].id, repeat.job);
  EXPECT_EQ(engine_->core()->Queue().queued, 2u);
}

TEST_F(EngineTest, AnUnreadableStoreKeepsCallersOutUntilItIsBack) {
  faults_.next_write = StoreFault::kFail;
  Call(Jobs(1));
  faults_.reads_fail = true;
  EXPECT_TRUE(absl::IsUnavailable(Call(Jobs(1)).status));
  EXPECT_EQ(engine_->core(), nullptr);
  faults_.reads_fail = false;
  clock_.Advance(absl::Seconds(1));
  EXPECT_TRUE(Call(Jobs(1)).status.ok());
}

TEST_F(EngineTest, AWorkerThatAttachesWithoutACoreIsSentAway) {
  faults_.next_write = StoreFault::kFail;
  Call(Jobs(1));
  faults_.reads_fail = true;
  Attach(7);
  EXPECT_THAT(output_.closed, ElementsAre(7));
}

TEST_F(EngineTest, ARequestIdWithAnotherBodyIsRefused) {
  ASSERT_TRUE(Call(Jobs(1), "id", "default", "one body").status.ok());
  EXPECT_TRUE(absl::IsAlreadyExists(Call(Jobs(1), "id", "default", "another").status));
  // Ids are the tenant's own.
  EXPECT_FALSE(Call(Jobs(1), "id", "other", "another").repeated);
  EXPECT_THAT(memory_.AllJobs(), SizeIs(2));
}

TEST_F(EngineTest, RepeatsWithinOneDrainAreOneCall) {
  const size_t first = Put(Jobs(1), "id");
  const size_t repeat = Put(Jobs(1), "id");
  const size_t other = Put(Jobs(1), "id", "default", "another body");
  Drain();
  ASSERT_TRUE(answers_[first]->status.ok());
  EXPECT_FALSE(answers_[first]->repeated);
  EXPECT_TRUE(answers_[repeat]->repeated);
  EXPECT_EQ(answers_[repeat]->job, answers_[first]->job);
  EXPECT_NE(answers_[repeat]->image, nullptr);
  EXPECT_TRUE(absl::IsAlreadyExists(answers_[other]->status));
  EXPECT_THAT(memory_.AllJobs(), SizeIs(1));
}

TEST_F(EngineTest, ARefusedCommandIsNotRemembered) {
  EXPECT_TRUE(absl::IsNotFound(Call(CancelJob{.job = 99}, "id").status));
  EXPECT_FALSE((*memory_.FindRequests({{{"default", "Method", "id"}}}))[0].has_value());
}

TEST_F(EngineTest, ACommandWhoseRequestIdCannotBeLookedUpIsRefusedAlone) {
  faults_.reads_fail = true;
  const size_t with_id = Put(Jobs(1), "id");
  const size_t without = Put(Jobs(1));
  Drain();
  EXPECT_TRUE(absl::IsUnavailable(answers_[with_id]->status));
  EXPECT_TRUE(answers_[without]->status.ok());
  EXPECT_THAT(output_.rebuilt, ElementsAre(1));
}

TEST_F(EngineTest, ARepeatWhoseJobCannotBeReadIsRefusedAlone) {
  const CommandResult first = Call(Jobs(1), "id");
  Call(CancelJob{.job = first.job});
  store_.damaged_row = first.job;
  EXPECT_TRUE(absl::IsDataLoss(Call(Jobs(1), "id").status));
  EXPECT_THAT(output_.rebuilt, ElementsAre(1));
}

TEST_F(EngineTest, ValidateOnlyStoresNothing) {
  SubmitJobs submit = Jobs(1);
  submit.validate_only = true;
  const CommandResult& answer = Call(std::move(submit), "id");
  EXPECT_TRUE(answer.status.ok());
  EXPECT_EQ(answer.job, 0u);
  EXPECT_THAT(memory_.AllJobs(), IsEmpty());
  EXPECT_FALSE((*memory_.FindRequests({{{"default", "Method", "id"}}}))[0].has_value());
}

TEST_F(EngineTest, AJobOfAnotherTenantDoesNotExist) {
  const CommandResult job = Call(Jobs(1));
  EXPECT_TRUE(absl::IsNotFound(Call(CancelJob{.job = job.job}, "", "other").status));
  ASSERT_TRUE(Call(CancelJob{.job = job.job}).status.ok());
  // Also when it has ended.
  EXPECT_TRUE(absl::IsNotFound(Call(DeleteJob{.job = job.job}, "", "other").status));
  EXPECT_TRUE(Call(DeleteJob{.job = job.job}).status.ok());
}

TEST_F(EngineTest, AnEndedJobCanBeRetriedAndDeleted) {
  const CommandResult job = Call(Jobs(1));
  const CommandResult cancelled = Call(CancelJob{.job = job.job});
  ASSERT_NE(cancelled.image, nullptr);
  EXPECT_EQ(cancelled.image->state, JobState::kCancelled);
  // A second cancel leaves it as it is.
  EXPECT_EQ(Call(CancelJob{.job = job.job}).image->state, JobState::kCancelled);
  EXPECT_EQ(Call(RetryJob{.job = job.job}).image->state, JobState::kQueued);
  EXPECT_TRUE(absl::IsFailedPrecondition(Call(DeleteJob{.job = job.job}).status));
  Call(CancelJob{.job = job.job});
  const CommandResult deleted = Call(DeleteJob{.job = job.job}, "delete");
  EXPECT_TRUE(deleted.status.ok());
  EXPECT_EQ(deleted.image, nullptr);
  EXPECT_TRUE(absl::IsNotFound(store_.GetJob(job.job).status()));
  EXPECT_TRUE(absl::IsNotFound(Call(CancelJob{.job = job.job}).status));
  EXPECT_TRUE(Call(DeleteJob{.job = job.job}, "delete").repeated);
}

TEST_F(EngineTest, AfterARestartSpecsComeFromTheStore) {
  const CommandResult jobs = Call(Jobs(5));
  Restart();
  Attach(1);
  const std::vector<Assignment> assignments = output_.TakeAssignments();
  ASSERT_THAT(assignments, SizeIs(5));
  for (int i = 0; i < 5; ++i) {
    v1::Job job;
    ASSERT_TRUE(job.ParseFromString(assignments[i].job));
    EXPECT_EQ(job.id(), FormatJobId(jobs.job + i));
    EXPECT_EQ(job.noop().payload(), absl::StrCat("payload ", i));
  }
  EXPECT_EQ(store_.specs_read, 5u);
}

TEST_F(EngineTest, AJobWhoseSpecIsDamagedFailsAndTheOthersGoOn) {
  const CommandResult jobs = Call(Jobs(3));
  Restart();
  store_.damaged_spec = jobs.job + 1;
  Attach(1);
  EXPECT_THAT(output_.TakeAssignments(), SizeIs(2));
  EXPECT_EQ(engine_->TimeToWakeup(), absl::ZeroDuration());
  Drain();
  const absl::StatusOr<JobRow> row = store_.GetJob(jobs.job + 1);
  JobImage image;
  ASSERT_TRUE(DecodeRow(*row, image).ok());
  EXPECT_EQ(image.state, JobState::kFailed);
  EXPECT_THAT(image.message, HasSubstr("damaged"));
}

TEST_F(EngineTest, AnAcceptedTrainingRegistersTheNextVersion) {
  v1::Job spec;
  spec.mutable_train()->set_save_as("digits");
  v1::Job result;
  result.mutable_train_result()->set_weights_artifact(std::string(64, 'a'));
  result.mutable_train_result()->mutable_metadata()->set_architecture("small_cnn");
  for (uint32_t version = 1; version <= 2; ++version) {
    SubmitJobs submit;
    submit.jobs.resize(1, NewJob{.kind = v1::Job::kTrain});
    const size_t index = Put(std::move(submit));
    inbox_.back().specs = {spec.SerializeAsString()};
    if (version == 1) Attach(1);
    Drain();
    const AttemptRef ref = output_.TakeAssignments().at(0).attempt.ref;
    Finish(1, ref, result.SerializeAsString());
    const absl::StatusOr<ModelVersionRow> row = store_.GetModelVersion("default", "digits", 0);
    ASSERT_TRUE(row.ok()) << row.status();
    EXPECT_EQ(row->version, version);
    v1::ModelVersion model;
    ASSERT_TRUE(model.ParseFromString(row->bytes));
    EXPECT_EQ(model.metadata().architecture(), "small_cnn");
    EXPECT_EQ(model.job(), FormatJobId(answers_[index]->job));
    // The job's result says which version it became.
    JobImage image;
    ASSERT_TRUE(DecodeRow(*store_.GetJob(answers_[index]->job), image).ok());
    v1::Job stored;
    ASSERT_TRUE(stored.ParseFromString(image.result));
    EXPECT_EQ(stored.train_result().version(), version);
    EXPECT_EQ(stored.train_result().model(), "digits");
  }
}

TEST_F(EngineTest, APredictIsSentWithItsModel) {
  WriteBatch batch;
  batch.model_versions = {{.tenant = "default", .model = "digits", .version = 2, .bytes = "model"}};
  ASSERT_TRUE(memory_.Commit(memory_.epoch(), batch).ok());
  v1::Job spec;
  spec.mutable_predict()->set_model("digits");
  spec.mutable_predict()->set_version(2);
  SubmitJobs submit;
  submit.jobs.resize(1, NewJob{.kind = v1::Job::kPredict});
  Put(std::move(submit));
  inbox_.back().specs = {spec.SerializeAsString()};
  Attach(1);
  const std::vector<Assignment> assignments = output_.TakeAssignments();
  ASSERT_THAT(assignments, SizeIs(1));
  ASSERT_NE(assignments[0].model, nullptr);
  EXPECT_EQ(*assignments[0].model, "model");
}

TEST_F(EngineTest, OutputsOfAJobBecomeReferencesOfItsTenant) {
  Call(Jobs(1), "", "team");
  Attach(1);
  const AttemptRef ref = output_.TakeAssignments().at(0).attempt.ref;
  const std::string hash(64, 'b');
  Finished finished{.outcome = Outcome::kSucceeded,
                    .outputs = {{"curves.csv", hash, 10, "text/csv", 1}}};
  PutWorker(WorkerReports{.session = 1, .reports = {{ref, std::move(finished)}}});
  Drain();
  EXPECT_TRUE(store_.FindArtifactReference("team", hash)->has_value());
}

TEST_F(EngineTest, AnArtifactReferenceIsRecordedForTheCaller) {
  Input input;
  input.artifact = ArtifactReferenceRow{.sha256 = std::string(64, 'c'), .size_bytes = 3};
  input.tenant = "default";
  absl::Status status = absl::UnknownError("not answered");
  input.done = [&](CommandResult result) { status = result.status; };
  inbox_.push_back(std::move(input));
  Drain();
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_TRUE(store_.FindArtifactReference("default", std::string(64, 'c'))->has_value());
}

TEST_F(EngineTest, SegmentsOfEventsBecomeReferencesOnceTheirJobHasEnded) {
  Call(Jobs(1), "", "team");
  Attach(1);
  const AttemptRef ref = output_.TakeAssignments().at(0).attempt.ref;
  const std::string hash(64, 'b');
  EventsStored stored{.artifacts = {{kEventsOutput, hash, 10, "application/x-ndjson", 1}}};
  PutWorker(WorkerReports{.session = 1, .reports = {{ref, std::move(stored)}}});
  Drain();
  EXPECT_FALSE(store_.FindArtifactReference("team", hash)->has_value());
  PutWorker(
      WorkerReports{.session = 1, .reports = {{ref, Finished{.outcome = Outcome::kSucceeded}}}});
  Drain();
  EXPECT_TRUE(store_.FindArtifactReference("team", hash)->has_value());
}

// In one drain, so that the order within it counts.
TEST_F(EngineTest, AReleaseTakesOutWhatWasRecordedBeforeItAndNothingElse) {
  const std::string kept(64, 'c'), gone(64, 'd');
  const auto record = [&](const std::string& tenant, const std::string& sha256) {
    Input input;
    input.artifact = ArtifactReferenceRow{.sha256 = sha256, .size_bytes = 3};
    input.tenant = tenant;
    input.done = [](const CommandResult&) {};
    inbox_.push_back(std::move(input));
  };
  const auto release = [&](const std::string& tenant, const std::string& sha256) {
    Input input;
    input.released_artifact = sha256;
    input.tenant = tenant;
    input.done = [](const CommandResult&) {};
    inbox_.push_back(std::move(input));
  };
  record("default", gone);
  record("team", gone);
  release("default", gone);
  release("default", kept);
  record("default", kept);
  Drain();
  EXPECT_FALSE(store_.FindArtifactReference("default", gone)->has_value());
  EXPECT_TRUE(store_.FindArtifactReference("team", gone)->has_value());
  EXPECT_TRUE(store_.FindArtifactReference("default", kept)->has_value());
}

TEST_F(EngineTest, ChangedLimitsAreStoredAndSurviveARestart) {
  ASSERT_TRUE(
      Call(UpdateLimits{
               .set = {{.device = "cpu", .job_class = JobClass::kInference, .max_running = 7}}})
          .status.ok());
  Restart();
  ASSERT_THAT(engine_->core()->limits(), SizeIs(1));
  EXPECT_EQ(engine_->core()->limits()[0].max_running, 7u);
}

TEST_F(EngineTest, AnAttemptRecordedBeforeARestartGoesOnWithItsFencing) {
  const CommandResult job = Call(Jobs(1));
  Attach(1);
  const AttemptRef ref = output_.TakeAssignments().at(0).attempt.ref;
  Restart();
  PutWorker(WorkerAttached{.session = 1,
                           .worker = "w1",
                           .incarnation = "a",
                           .devices = {{.device = "cpu"}},
                           .kinds = {"noop"},
                           .attempts = {{ref, Started{.device = "cpu"}}}});
  Drain();
  EXPECT_EQ(engine_->live_view().Find(job.job)->state, JobState::kRunning);
  Finish(1, ref, "result");
  EXPECT_EQ(store_.GetJob(job.job)->state, static_cast<uint32_t>(JobState::kSucceeded));
}

class PlantedReplyTest : public EngineTest {
 protected:
  EngineOptions Options() override {
    EngineOptions options = EngineTest::Options();
    options.reply_before_commit = true;
    return options;
  }
};

TEST_F(PlantedReplyTest, ThePlantedBugAnswersBeforeTheCommit) {
  Restart();
  faults_.next_write = StoreFault::kFail;
  EXPECT_TRUE(Call(Jobs(1)).status.ok());
  EXPECT_THAT(memory_.AllJobs(), IsEmpty());
}

TEST(EngineOverSqlite, GoesOnAfterARestart) {
  std::string folder = std::filesystem::temp_directory_path() / "engine_test.XXXXXX";
  mkdtemp(folder.data());
  FakeClock clock;
  RecordedOutput output;
  EngineOptions options;
  options.core.kinds = CoreKinds();
  options.log = false;
  JobId first = 0;
  for (int run = 0; run < 2; ++run) {
    auto store = OpenSqliteStore({.directory = folder});
    ASSERT_TRUE(store.ok()) << store.status();
    Engine engine(options, **store, clock, output);
    ASSERT_TRUE(engine.Start().ok());
    EXPECT_EQ(engine.core()->epoch(), run + 1u);
    std::deque<Input> inbox(1);
    inbox[0].event = SubmitJobs{.jobs = {NewJob{.kind = v1::Job::kNoop}}};
    inbox[0].specs = {"spec"};
    inbox[0].tenant = "default";
    inbox[0].request = {.method = "CreateJob", .request_id = "id", .body_sha256 = "body"};
    CommandResult answer;
    inbox[0].done = [&](CommandResult result) { answer = std::move(result); };
    engine.Drain(inbox);
    ASSERT_TRUE(answer.status.ok()) << answer.status;
    EXPECT_EQ(answer.repeated, run == 1);
    if (run == 0) first = answer.job;
    EXPECT_EQ(answer.job, first);
    EXPECT_EQ(engine.core()->Queue().queued, 1u);
  }
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace switchyard::scheduler
