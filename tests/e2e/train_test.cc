// Training and prediction against real processes, on the digits the project carries.

#include <filesystem>
#include <fstream>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/e2e/digits.h"

namespace switchyard::e2e {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

class Training : public ::testing::Test {
 protected:
  void SetUp() override {
    fleet_.Start();
    MakeDigits(fleet_);
  }
  v1::Job TrainJob(uint32_t epochs) const { return TrainDigits(fleet_, epochs); }
  v1::Job PredictFolder(const std::string& folder) const {
    v1::Job job;
    job.mutable_predict()->set_model("digits");
    job.mutable_predict()->set_top_k(1);
    job.mutable_predict()->mutable_source()->set_path(folder);
    return job;
  }
  v1::Job TrainOn(const std::string& folder) const {
    v1::Job job = TrainJob(1);
    job.mutable_train()->mutable_train()->set_path(folder);
    return job;
  }
  bool WaitForProgress(const std::string& id, double fraction) {
    return e2e::WaitForProgress(fleet_, id, fraction);
  }

  Fleet fleet_;
};

TEST_F(Training, ATrainedModelPredictsAndADamagedFileCostsItsOwnItemOnly) {
  const v1::Job trained = fleet_.WaitEnded(fleet_.Submit(TrainJob(4)).id(), absl::Minutes(3));
  ASSERT_EQ(trained.state(), v1::Job::SUCCEEDED) << trained.message();
  EXPECT_EQ(trained.train_result().version(), 1u);
  EXPECT_GT(trained.train_result().validation_accuracy(), 0.8);
  EXPECT_EQ(trained.train_result().classes_size(), 10);
  std::set<std::string> outputs;
  for (const auto& output : trained.outputs()) outputs.insert(output.name());
  EXPECT_THAT(outputs, ::testing::IsSupersetOf(
                           {"confusion_matrix.json", "curves.csv", "weights.safetensors"}));

  const std::string folder = fleet_.data_root() + "/mixed";
  fs::create_directories(folder);
  int copied = 0;
  for (const auto& file : fs::directory_iterator(fleet_.data_root() + "/test/3")) {
    if (copied == 5) break;
    fs::copy_file(file.path(), absl::StrCat(folder, "/", copied++, ".png"));
  }
  std::ofstream(folder + "/2b.png") << "no picture";
  const v1::Job predicted = fleet_.WaitEnded(fleet_.Submit(PredictFolder(folder)).id());
  ASSERT_EQ(predicted.state(), v1::Job::SUCCEEDED) << predicted.message();
  const v1::PredictResult& result = predicted.predict_result();
  ASSERT_EQ(result.items_size(), 6);
  EXPECT_EQ(result.error_count(), 1u);
  EXPECT_EQ(result.items(3).item(), "2b.png");
  EXPECT_FALSE(result.items(3).error().empty());
  EXPECT_EQ(result.items(0).item(), "0.png");
  EXPECT_EQ(result.items(0).answers_size(), 1);

  grpc::ClientContext context;
  v1::GetModelRequest request;
  request.set_model("digits");
  v1::ModelVersion model;
  ASSERT_TRUE(fleet_.models().GetModel(&context, request, &model).ok());
  EXPECT_EQ(model.job(), trained.id());
}

TEST_F(Training, StopKeepsACheckpointAndRetryGoesOnFromIt) {
  const std::string id = fleet_.Submit(TrainJob(40)).id();
  ASSERT_TRUE(WaitForProgress(id, 0.05));
  grpc::ClientContext context;
  v1::StopJobRequest stop;
  stop.set_job(id);
  v1::Job answer;
  ASSERT_TRUE(fleet_.jobs().StopJob(&context, stop, &answer).ok());
  const v1::Job stopped = fleet_.WaitEnded(id);
  EXPECT_EQ(stopped.state(), v1::Job::CANCELLED);
  EXPECT_EQ(stopped.reason(), v1::Job::STOPPED);
  grpc::ClientContext retry_context;
  v1::RetryJobRequest retry;
  retry.set_job(id);
  ASSERT_TRUE(fleet_.jobs().RetryJob(&retry_context, retry, &answer).ok());
  const v1::Job ended = fleet_.WaitEnded(id, absl::Minutes(4));
  EXPECT_EQ(ended.state(), v1::Job::SUCCEEDED) << ended.message();
  ASSERT_EQ(ended.attempts_size(), 2);
  EXPECT_FALSE(ended.attempts(1).resumed_from().empty());
}

TEST_F(Training, AKilledWorkerResumesFromItsCheckpointAndEndsWithTheSameWeights) {
  const v1::Job whole = fleet_.WaitEnded(fleet_.Submit(TrainJob(12)).id(), absl::Minutes(3));
  ASSERT_EQ(whole.state(), v1::Job::SUCCEEDED) << whole.message();
  const std::string id = fleet_.Submit(TrainJob(12)).id();
  const auto has_checkpoint = [&] {
    const v1::Job job = fleet_.Get(id);
    for (const auto& output : job.outputs()) {
      if (output.name() == "checkpoint") return true;
    }
    return IsEnded(job.state());
  };
  ASSERT_TRUE(fleet_.WaitUntil(has_checkpoint, absl::Minutes(2)));
  fleet_.worker().Kill();
  fleet_.StartWorker();
  const v1::Job ended = fleet_.WaitEnded(id, absl::Minutes(3));
  ASSERT_EQ(ended.state(), v1::Job::SUCCEEDED) << ended.message();
  ASSERT_EQ(ended.attempts_size(), 2) << "it ended before it could be killed";
  EXPECT_EQ(ended.attempts(0).outcome(), v1::Attempt::WORKER_LOST);
  EXPECT_FALSE(ended.attempts(1).resumed_from().empty());
  EXPECT_EQ(ended.train_result().weights_artifact(), whole.train_result().weights_artifact());
  EXPECT_EQ(ended.train_result().version(), 2u);
}

TEST_F(Training, ACancelledTrainingEndsWithinASecond) {
  const std::string id = fleet_.Submit(TrainJob(1000)).id();
  ASSERT_TRUE(fleet_.WaitForState(id, v1::Job::RUNNING));
  ASSERT_TRUE(WaitForProgress(id, 0.001));
  const absl::Time asked = absl::Now();
  grpc::ClientContext context;
  v1::CancelJobRequest cancel;
  cancel.set_job(id);
  v1::Job answer;
  ASSERT_TRUE(fleet_.jobs().CancelJob(&context, cancel, &answer).ok());
  EXPECT_EQ(fleet_.WaitEnded(id).state(), v1::Job::CANCELLED);
  EXPECT_LT(absl::Now() - asked, absl::Seconds(2));
}

TEST_F(Training, BadDataIsNamed) {
  const std::string root = fleet_.data_root();
  fs::create_directories(root + "/empty");
  fs::create_directories(root + "/one/only");
  fs::copy_file(fs::directory_iterator(root + "/train/3")->path(), root + "/one/only/a.png");
  fs::create_directories(root + "/broken/a");
  fs::create_directories(root + "/broken/b");
  std::ofstream(root + "/broken/a/x.png") << "no picture";
  fs::copy_file(fs::directory_iterator(root + "/train/3")->path(), root + "/broken/b/a.png");
  struct Case {
    std::string folder, names;
  } cases[] = {{root + "/empty", "empty"},
               {root + "/one", "class"},
               {root + "/nosuch", "nosuch"},
               {root + "/broken", "x.png"},
               {"/etc", "data_roots"}};
  for (const Case& c : cases) {
    const v1::Job job = fleet_.WaitEnded(fleet_.Submit(TrainOn(c.folder)).id());
    EXPECT_EQ(job.state(), v1::Job::FAILED) << c.folder;
    EXPECT_EQ(job.attempts_size(), 1) << c.folder << ": another attempt would fail alike";
    EXPECT_THAT(job.error().message(), HasSubstr(c.names)) << c.folder;
  }
  v1::Job beyond = TrainJob(1);
  beyond.mutable_train()->add_classes("0");
  beyond.mutable_train()->add_classes("1");
  const v1::Job job = fleet_.WaitEnded(fleet_.Submit(beyond).id());
  EXPECT_EQ(job.state(), v1::Job::FAILED);
  EXPECT_THAT(job.error().message(), HasSubstr("class"));
}

}  // namespace
}  // namespace switchyard::e2e
