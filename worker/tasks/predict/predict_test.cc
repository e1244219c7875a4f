#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "worker/tasks/predict/predict_executor.h"
#include "worker/tasks/testing/task_fixture.h"
#include "worker/torch/device.h"
#include "worker/torch/trainer.h"

namespace switchyard::worker {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

namespace wire = ::switchyard::worker::v1;

class PredictTest : public TaskTest {
 protected:
  PredictTest() {
    job_.mutable_predict()->set_model("m");
    SetModel(api::Source::IMAGE_FOLDER);
  }

  // A model with fresh weights: what it says does not matter here, that it says it in order does.
  void SetModel(api::Source::Format input) {
    TrainerOptions options;
    options.network.architecture = "small_cnn";
    options.network.classes = 3;
    options.network.input = {1, 16};
    options.network.mean = {0.5f};
    options.network.standard_deviation = {0.25f};
    const std::string weights = *(*MakeTrainer(options))->Weights();
    api::ModelVersion& model = *assignment_.mutable_model();
    model.set_model("m");
    model.set_version(4);
    model.set_weights_artifact(Put(weights));
    api::ModelMetadata& metadata = *model.mutable_metadata();
    metadata.Clear();
    metadata.set_architecture("small_cnn");
    for (const char* name : {"a", "b", "c"}) metadata.add_classes(name);
    metadata.set_image_size(16);
    metadata.set_channels(1);
    metadata.add_mean(0.5f);
    metadata.add_standard_deviation(0.25f);
    metadata.set_input(input);
  }

  absl::StatusOr<api::PredictResult> Predict() {
    context_ = MakeContext();
    const auto executor = MakePredictExecutor(models_, SystemClock());
    const absl::Status prepared = executor->Prepare(*context_, job_, assignment_);
    if (!prepared.ok()) return prepared;
    absl::StatusOr<api::Job> job = executor->Run(*context_);
    if (!job.ok()) return job.status();
    return job->predict_result();
  }
  absl::StatusOr<api::PredictResult> PredictPath(const std::string& path) {
    job_.mutable_predict()->mutable_source()->set_path(root() + "/" + path);
    return Predict();
  }
  absl::StatusOr<api::PredictResult> PredictBytes(const std::string& bytes) {
    job_.mutable_predict()->set_data(bytes);
    return Predict();
  }

  api::Job job_;
  wire::Assignment assignment_;
  std::shared_ptr<ModelCache> models_ = std::make_shared<ModelCache>(64 << 20);
  std::unique_ptr<FakeAttemptContext> context_;
};

std::vector<std::string> Names(const api::PredictResult& result) {
  std::vector<std::string> names;
  for (const api::ItemResult& item : result.items()) names.push_back(item.item());
  return names;
}

TEST_F(PredictTest, ClassifiesInlineBytes) {
  const auto result = PredictBytes(PatternPng(0, 1));
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->model(), "m");
  EXPECT_EQ(result->version(), 4u);
  ASSERT_EQ(result->items_size(), 1);
  EXPECT_EQ(result->items(0).item(), "");
  ASSERT_EQ(result->items(0).answers_size(), 3);
  double sum = 0;
  for (const api::Answer& answer : result->items(0).answers()) sum += answer.probability();
  EXPECT_NEAR(sum, 1, 1e-5);
  EXPECT_GE(result->items(0).answers(0).probability(), result->items(0).answers(1).probability());
}

TEST_F(PredictTest, CutsAnswersAtTopK) {
  job_.mutable_predict()->set_top_k(2);
  EXPECT_EQ(PredictBytes(PatternPng(0, 1))->items(0).answers_size(), 2);
}

TEST_F(PredictTest, KeepsTheOrderOfAFolderAndTheErrorsOfItsItems) {
  WriteFile("in/10.png", PatternPng(0, 1));
  WriteFile("in/9.png", PatternPng(1, 2));
  WriteFile("in/sub/1.png", PatternPng(2, 3));
  WriteFile("in/bad.jpg", "no picture");
  WriteFile("in/notes.txt", "left out");
  WriteFile("in/r.sigmf-meta", SigmfMetadataText("x"));
  WriteFile("in/r.sigmf-data", ToneSamples(0.1, 100, 1));
  const auto result = PredictPath("in");
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_THAT(Names(*result),
              ElementsAre("10.png", "9.png", "bad.jpg", "r.sigmf-meta", "sub/1.png"));
  EXPECT_EQ(result->item_count(), 5u);
  EXPECT_EQ(result->error_count(), 2u);
  EXPECT_THAT(result->items(2).error(), HasSubstr("PNG, JPEG nor BMP"));
  EXPECT_THAT(result->items(3).error(), HasSubstr("trained on pictures"));
  EXPECT_EQ(result->items(2).answers_size(), 0);
  EXPECT_EQ(result->items(4).answers_size(), 3);
}

TEST_F(PredictTest, AnswersInABatchAsAlone) {
  for (int i = 0; i < 20; ++i)
    WriteFile(absl::StrCat("many/", i + 10, ".png"), PatternPng(i % 3, i));
  const auto together = PredictPath("many");
  ASSERT_TRUE(together.ok()) << together.status();
  for (const int i : {0, 7, 19}) {
    const auto alone = PredictBytes(PatternPng(i % 3, i));
    for (int k = 0; k < 3; ++k) {
      EXPECT_EQ(together->items(i).answers(k).label(), alone->items(0).answers(k).label());
      EXPECT_NEAR(together->items(i).answers(k).probability(),
                  alone->items(0).answers(k).probability(), 1e-5);
    }
  }
}

TEST_F(PredictTest, StoresALargeResultAsAnArtifact) {
  for (int i = 0; i < 1200; ++i)
    WriteFile(absl::StrCat("large/", i + 10000, ".png"), PatternPng(0, i, 8));
  const auto result = PredictPath("large");
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->items_size(), 0);
  EXPECT_EQ(result->item_count(), 1200u);
  ASSERT_EQ(context_->outputs.size(), 1u);
  EXPECT_EQ(context_->outputs[0].sha256(), result->items_artifact());
  const std::string text = *GetBytes(artifacts(), result->items_artifact(), 1 << 30);
  const std::vector<std::string> lines = absl::StrSplit(text, '\n', absl::SkipEmpty());
  ASSERT_EQ(lines.size(), 1200u);
  EXPECT_THAT(lines[3], HasSubstr("\"item\":\"10003.png\""));
}

TEST_F(PredictTest, ReadsRecordingsInPairsAndArchives) {
  SetModel(api::Source::SIGMF);
  const std::string samples = ToneSamples(0.1, 500, 1);
  WriteFile("iq/one.sigmf-meta", SigmfMetadataText("x"));
  WriteFile("iq/one.sigmf-data", samples);
  WriteFile("iq/two.sigmf", MakeTar({{"two/two.sigmf-meta", SigmfMetadataText("y")},
                                     {"two/two.sigmf-data", samples}}));
  WriteFile("iq/cut.sigmf-meta", SigmfMetadataText("z"));
  WriteFile("iq/picture.png", PatternPng(0, 1));
  const auto result = PredictPath("iq");
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_THAT(Names(*result),
              ElementsAre("cut.sigmf-meta", "one.sigmf-meta", "picture.png", "two.sigmf"));
  EXPECT_THAT(result->items(0).error(), HasSubstr("cut.sigmf-data"));
  EXPECT_EQ(result->items(1).answers(0).probability(), result->items(3).answers(0).probability());
  EXPECT_THAT(result->items(2).error(), HasSubstr("IQ recordings"));
  EXPECT_TRUE(PredictPath("iq/one.sigmf-meta").ok());
  EXPECT_TRUE(
      PredictBytes(MakeTar({{"a.sigmf-meta", SigmfMetadataText("y")}, {"a.sigmf-data", samples}}))
          .ok());
}

TEST_F(PredictTest, FailsWhenEveryItemFails) {
  EXPECT_THAT(std::string(PredictBytes("rubbish").status().message()),
              HasSubstr("PNG, JPEG nor BMP"));
  EXPECT_THAT(std::string(PredictBytes("").status().message()), HasSubstr("empty"));
  WriteFile("bad/1.png", "x");
  WriteFile("bad/2.png", "x");
  EXPECT_THAT(std::string(PredictPath("bad").status().message()), HasSubstr("all 2 items failed"));
  WriteFile("none/1.txt", "x");
  WriteFile("none/2.txt", "x");
  EXPECT_THAT(std::string(PredictPath("none").status().message()),
              HasSubstr("nothing to classify"));
}

TEST_F(PredictTest, NamesTheModelWhoseWeightsAreBroken) {
  assignment_.mutable_model()->set_weights_artifact(Put("broken"));
  EXPECT_THAT(std::string(PredictBytes("x").status().message()),
              HasSubstr("loading model m version 4"));
  assignment_.mutable_model()->set_weights_artifact(std::string(64, 'c'));
  EXPECT_EQ(PredictBytes("x").status().code(), absl::StatusCode::kNotFound);
}

TEST_F(PredictTest, EndsSoonWhenCancelled) {
  for (int i = 0; i < 50; ++i) WriteFile(absl::StrCat("c/", i, ".png"), PatternPng(0, i));
  job_.mutable_predict()->mutable_source()->set_path(root() + "/c");
  const auto context = MakeContext();
  const auto executor = MakePredictExecutor(models_, SystemClock());
  ASSERT_TRUE(executor->Prepare(*context, job_, assignment_).ok());
  context->CancelAtYieldPoint(2);
  EXPECT_EQ(executor->Run(*context).status().code(), absl::StatusCode::kCancelled);
}

TEST_F(PredictTest, LoadsAModelOnce) {
  ASSERT_TRUE(PredictBytes(PatternPng(0, 1)).ok());
  const int64_t bytes = models_->Trim().bytes;
  EXPECT_GT(bytes, 0);
  ASSERT_TRUE(PredictBytes(PatternPng(0, 2)).ok());
  EXPECT_EQ(models_->Trim().bytes, bytes);
}

}  // namespace
}  // namespace switchyard::worker
