#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>
#include <set>

#include "absl/strings/str_cat.h"
#include "worker/tasks/testing/task_fixture.h"
#include "worker/tasks/train/position.h"
#include "worker/tasks/train/report.h"
#include "worker/tasks/train/schedule.h"
#include "worker/tasks/train/shuffle.h"
#include "worker/tasks/train/train_executor.h"
#include "worker/tasks/train/training_run.h"
#include "worker/torch/safetensors.h"

namespace switchyard::worker {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

namespace wire = ::switchyard::worker::v1;

TEST(BatchEnds, JoinsALoneLastSampleToTheBatchBefore) {
  EXPECT_THAT(BatchEnds(10, 4), ElementsAre(4, 8, 10));
  EXPECT_THAT(BatchEnds(8, 4), ElementsAre(4, 8));
  EXPECT_THAT(BatchEnds(9, 4), ElementsAre(4, 9));
  EXPECT_THAT(BatchEnds(3, 4), ElementsAre(3));
  EXPECT_THAT(BatchEnds(5, 4), ElementsAre(5));
  EXPECT_THAT(BatchEnds(2, 1), ElementsAre(1, 2));
}

TEST(Permutation, IsAnOrderOfAllAndFixedBySeedStreamAndIndex) {
  const std::vector<uint32_t> order = Permutation(100, 3, Stream::kEpoch, 1);
  EXPECT_EQ(std::set<uint32_t>(order.begin(), order.end()).size(), 100u);
  EXPECT_EQ(order, Permutation(100, 3, Stream::kEpoch, 1));
  EXPECT_NE(order, Permutation(100, 3, Stream::kEpoch, 2));
  EXPECT_NE(order, Permutation(100, 4, Stream::kEpoch, 1));
  EXPECT_NE(order, Permutation(100, 3, Stream::kSplit, 1));
  // Fixed for ever: a checkpoint resumed by a later build counts on it.
  EXPECT_THAT(Permutation(5, 0, Stream::kEpoch, 0), ElementsAre(3, 1, 4, 2, 0));
}

TEST(Position, ComesBackBitForBit) {
  Position position;
  position.epoch = 1;
  position.batch = 7;
  position.step = 27;
  position.tally = {0.1 + 0.2, 5, 9};
  position.history = {{{1.0 / 3, 4, 10}, {2.0 / 7, 1, 2}}};
  const auto decoded = DecodePosition(EncodePosition(position, "f"), "f");
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(decoded->step, 27u);
  EXPECT_EQ(decoded->tally.loss_sum, 0.1 + 0.2);
  EXPECT_EQ(decoded->history[0].validation.loss_sum, 2.0 / 7);
  EXPECT_FALSE(DecodePosition(EncodePosition(position, "f"), "other").ok());
  EXPECT_FALSE(DecodePosition({}, "f").ok());
}

TEST(Report, CountsPrecisionAndRecall) {
  ConfusionMatrix matrix(2);
  for (int i = 0; i < 3; ++i) matrix.Add(0, 0);
  matrix.Add(0, 1);
  matrix.Add(1, 1);
  const std::vector<std::string> names = {"a,b", "c\"d"};
  const auto figures = matrix.Figures(names);
  EXPECT_DOUBLE_EQ(figures[0].recall(), 0.75);
  EXPECT_DOUBLE_EQ(figures[1].precision(), 0.5);
  EXPECT_EQ(matrix.Json(names),
            "{\"classes\":[\"a,b\",\"c\\\"d\"],\n\"matrix\":[\n[3,1],\n[0,1]]}\n");
  EXPECT_EQ(PerClassCsv(figures),
            "class,precision,recall,f1,support\n\"a,b\",1.000000,0.750000,0.857143,4\n"
            "\"c\"\"d\",0.500000,1.000000,0.666667,1\n");
}

TEST(LearningRate, FallsFromItsBaseTowardsZero) {
  EXPECT_DOUBLE_EQ(LearningRateAt(0.2, 0, 100), 0.2);
  EXPECT_NEAR(LearningRateAt(0.2, 50, 100), 0.1, 1e-9);
  EXPECT_LT(LearningRateAt(0.2, 99, 100), 0.001);
  EXPECT_GT(LearningRateAt(0.2, 99, 100), 0);
}

class TrainTest : public TaskTest {
 protected:
  TrainTest() {
    for (int kind = 0; kind < 3; ++kind) {
      for (int i = 0; i < 12; ++i) {
        WriteFile(absl::StrCat("images/", "class", kind, "/", i, ".png"), PatternPng(kind, i));
      }
    }
    api::TrainSpec& spec = *job_.mutable_train();
    spec.mutable_train()->set_path(root() + "/images");
    spec.set_validation_fraction(0.25);
    spec.set_batch_size(8);
    spec.set_image_size(12);
    spec.set_epochs(6);
    spec.set_learning_rate(0.003);
    spec.set_seed(5);
    spec.set_save_as("patterns");
  }

  absl::StatusOr<api::Job> Train(FakeAttemptContext& context,
                                 const wire::Assignment& assignment = {}) {
    const auto executor = MakeTrainExecutor(SystemClock());
    const absl::Status prepared = executor->Prepare(context, job_, assignment);
    if (!prepared.ok()) return prepared;
    return executor->Run(context);
  }
  absl::StatusOr<api::Job> Train(const wire::Assignment& assignment = {}) {
    context_ = MakeContext();
    return Train(*context_, assignment);
  }
  std::string Error() {
    const auto result = Train();
    return result.ok() ? "no error" : std::string(result.status().message());
  }
  std::string Output(const std::string& name) {
    for (const api::OutputArtifact& output : context_->outputs) {
      if (output.name() == name) return *GetBytes(artifacts(), output.sha256(), 1 << 30);
    }
    return "";
  }
  api::TrainSpec& spec() { return *job_.mutable_train(); }

  api::Job job_;
  std::unique_ptr<FakeAttemptContext> context_;
};

TEST_F(TrainTest, LearnsASmallSetAndReportsIt) {
  const auto job = Train();
  ASSERT_TRUE(job.ok()) << job.status();
  const api::TrainResult& result = job->train_result();
  EXPECT_EQ(result.model(), "patterns");
  EXPECT_EQ(result.epochs(), 6u);
  EXPECT_GE(result.validation_accuracy(), 0.99);
  EXPECT_EQ(result.train_samples(), 27u);
  EXPECT_EQ(result.validation_samples(), 9u);
  EXPECT_THAT(result.metadata().classes(), ElementsAre("class0", "class1", "class2"));
  EXPECT_EQ(result.metadata().channels(), 3u);
  EXPECT_EQ(result.metadata().mean_size(), 3);
  EXPECT_EQ(result.metadata().input(), api::Source::IMAGE_FOLDER);
  EXPECT_TRUE(ReadSafetensors(*GetBytes(artifacts(), result.weights_artifact(), 1 << 30)).ok());
  EXPECT_THAT(Output("confusion_matrix.json"), HasSubstr("[3,0,0]"));
  EXPECT_THAT(Output("per_class.csv"), HasSubstr("class2,1.000000"));
  EXPECT_THAT(Output("curves.csv"), HasSubstr("\n6,"));
  EXPECT_EQ(context_->Series("train/loss").size(), 6u * 4);
  EXPECT_EQ(context_->Series("epoch/validation_accuracy").size(), 6u);
  EXPECT_DOUBLE_EQ(context_->progress.back().fraction, 1);
}

TEST_F(TrainTest, LearnsFromEverySampleWhenNothingIsHeldOut) {
  spec().set_validation_fraction(0);
  spec().set_epochs(1);
  const auto job = Train();
  ASSERT_TRUE(job.ok()) << job.status();
  EXPECT_EQ(job->train_result().train_samples(), 36u);
  EXPECT_EQ(job->train_result().validation_samples(), 0u);
  EXPECT_EQ(Output("confusion_matrix.json"), "");
}

TEST_F(TrainTest, LearnsRecordings) {
  for (int i = 0; i < 10; ++i) {
    for (const auto& [label, frequency] : {std::pair("low", -0.2), std::pair("high", 0.3)}) {
      WriteFile(absl::StrCat("iq/", label, i, ".sigmf-meta"), SigmfMetadataText(label));
      WriteFile(absl::StrCat("iq/", label, i, ".sigmf-data"),
                ToneSamples(frequency + 0.01 * i, 2000, i));
    }
  }
  spec().mutable_train()->set_path(root() + "/iq");
  const auto job = Train();
  ASSERT_TRUE(job.ok()) << job.status();
  EXPECT_EQ(job->train_result().metadata().input(), api::Source::SIGMF);
  EXPECT_EQ(job->train_result().metadata().channels(), 1u);
  EXPECT_THAT(job->train_result().metadata().classes(), ElementsAre("high", "low"));
  EXPECT_GE(job->train_result().validation_accuracy(), 0.99);
}

TEST_F(TrainTest, LearnsFromAnUploadedArchive) {
  std::vector<TarEntry> entries;
  for (int i = 0; i < 8; ++i) {
    for (int kind = 0; kind < 2; ++kind) {
      entries.push_back({absl::StrCat("k", kind, "/", i, ".png"), PatternPng(kind, i)});
    }
  }
  spec().mutable_train()->set_artifact(Put(MakeTar(entries)));
  spec().set_epochs(1);
  const auto job = Train();
  ASSERT_TRUE(job.ok()) << job.status();
  EXPECT_EQ(job->train_result().classes_size(), 2);
}

TEST_F(TrainTest, GivesTheSameWeightsForTheSameSeed) {
  spec().set_epochs(2);
  const std::string first = Train()->train_result().weights_artifact();
  EXPECT_EQ(first, Train()->train_result().weights_artifact());
  spec().set_seed(6);
  EXPECT_NE(first, Train()->train_result().weights_artifact());
}

TEST_F(TrainTest, EndsBitForBitWhereAnUninterruptedOneDoes) {
  for (const auto rule : {api::TrainSpec::SGD, api::TrainSpec::ADAMW}) {
    spec().set_optimizer(rule);
    spec().set_epochs(3);
    const auto whole = Train();
    ASSERT_TRUE(whole.ok()) << whole.status();
    const std::string curves = Output("curves.csv");
    // In the middle of the first epoch, at the end of its batches, and in the second.
    for (const int batches : {2, 4, 8}) {
      context_ = MakeContext();
      context_->StopAtYieldPoint(batches);
      const auto stopped = Train(*context_);
      ASSERT_TRUE(stopped.ok()) << stopped.status();
      ASSERT_EQ(context_->checkpoints.size(), 1u);
      EXPECT_LT(stopped->train_result().epochs(), 3u);
      wire::Assignment resume;
      resume.set_resume_from(context_->checkpoints[0].sha256());
      const auto resumed = Train(resume);
      ASSERT_TRUE(resumed.ok()) << resumed.status();
      EXPECT_EQ(resumed->SerializeAsString(), whole->SerializeAsString()) << batches;
      EXPECT_EQ(Output("curves.csv"), curves);
    }
  }
}

TEST_F(TrainTest, PreemptedItKeepsACheckpointAndNoResultAndTheNextAttemptEndsBitForBitTheSame) {
  spec().set_epochs(3);
  const auto whole = Train();
  ASSERT_TRUE(whole.ok()) << whole.status();
  context_ = MakeContext();
  context_->PreemptAtYieldPoint(7);
  const auto preempted = Train(*context_);
  EXPECT_EQ(preempted.status().code(), absl::StatusCode::kCancelled);
  EXPECT_FALSE(context_->ended_early);
  EXPECT_TRUE(context_->outputs.empty());
  ASSERT_EQ(context_->checkpoints.size(), 1u);
  wire::Assignment resume;
  resume.set_resume_from(context_->checkpoints[0].sha256());
  const auto resumed = Train(resume);
  ASSERT_TRUE(resumed.ok()) << resumed.status();
  EXPECT_EQ(resumed->SerializeAsString(), whole->SerializeAsString());
}

TEST_F(TrainTest, SaysThatItEndsEarlyOnlyWhenItDoes) {
  spec().set_epochs(2);
  context_ = MakeContext();
  context_->StopAtYieldPoint(2);
  ASSERT_TRUE(Train(*context_).ok());
  EXPECT_TRUE(context_->ended_early);
  // The stop comes with the last batch: nothing is left to do.
  context_ = MakeContext();
  ASSERT_TRUE(Train(*context_).ok());
  const int all = context_->yield_points;
  context_ = MakeContext();
  context_->StopAtYieldPoint(all);
  ASSERT_TRUE(Train(*context_).ok());
  EXPECT_FALSE(context_->ended_early);
}

TEST_F(TrainTest, ComputesABatchInPartsWhereMemoryForcesIt) {
  spec().set_batch_size(8);
  spec().set_epochs(4);
  const auto whole = Train();
  ASSERT_TRUE(whole.ok());
  EXPECT_EQ(context_->batch, 8u);
  const size_t steps = context_->Series("train/loss").size();
  wire::Assignment limited;
  limited.set_batch_limit(2);
  const auto parts = Train(limited);
  ASSERT_TRUE(parts.ok()) << parts.status();
  EXPECT_EQ(context_->batch, 2u);
  // As many steps of the optimiser as before: the batch is what the job asked for.
  EXPECT_EQ(context_->Series("train/loss").size(), steps);
  bool said = false;
  for (const auto& log : context_->logs) said = said || log.text.find("2 samples") != log.text.npos;
  EXPECT_TRUE(said);
  EXPECT_NE(parts->train_result().weights_artifact(), whole->train_result().weights_artifact());
  EXPECT_GT(parts->train_result().validation_accuracy(), 0.6);
}

TEST_F(TrainTest, NeverTakesPartsOfOneSample) {
  spec().set_epochs(1);
  wire::Assignment limited;
  limited.set_batch_limit(1);
  ASSERT_TRUE(Train(limited).ok());
  EXPECT_EQ(context_->batch, 2u);
}

TEST_F(TrainTest, KeepsNoMoreSamplesThanItsMemoryAllows) {
  context_ = MakeContext();
  spec().set_epochs(1);
  context_->set_memory_limit_bytes(4 * 10 * 3 * 12 * 12);
  ASSERT_TRUE(Train(*context_).ok());
  EXPECT_EQ(context_->kept_bytes, 10 * 3 * 12 * 12);
}

TEST_F(TrainTest, RefusesSeveralDevices) {
  context_ = MakeContext();
  context_->set_gang({.size = 2, .members = 2, .devices = {"cpu"}});
  const absl::Status refused = Train(*context_).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("device_count"));
}

TEST_F(TrainTest, RefusesACheckpointOfOtherSettings) {
  context_ = MakeContext();
  context_->StopAtYieldPoint(2);
  ASSERT_TRUE(Train(*context_).ok());
  wire::Assignment resume;
  resume.set_resume_from(context_->checkpoints[0].sha256());
  spec().set_learning_rate(0.01);
  EXPECT_THAT(std::string(Train(resume).status().message()), HasSubstr("other settings"));
  resume.set_resume_from(Put("rubbish"));
  EXPECT_THAT(std::string(Train(resume).status().message()), HasSubstr("safetensors"));
}

TEST_F(TrainTest, CheckpointsByTime) {
  class Hurried final : public Clock {
   public:
    absl::Time Now() override { return absl::UnixEpoch(); }
    absl::Duration BootTime() override { return now_ += absl::Milliseconds(400); }

   private:
    absl::Duration now_;
  } clock;
  spec().mutable_checkpoint_interval()->set_seconds(2);
  const auto executor = MakeTrainExecutor(clock);
  const auto context = MakeContext();
  ASSERT_TRUE(executor->Prepare(*context, job_, {}).ok());
  ASSERT_TRUE(executor->Run(*context).ok());
  EXPECT_GE(context->checkpoints.size(), 4u);
  EXPECT_EQ(context->checkpoints[0].name(), "checkpoint");
}

TEST_F(TrainTest, EndsSoonWhenCancelled) {
  context_ = MakeContext();
  context_->CancelAtYieldPoint(3);
  EXPECT_EQ(Train(*context_).status().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(context_->Series("train/loss").size(), 3u);
  const auto before = MakeContext();
  before->Cancel();
  EXPECT_EQ(Train(*before).status().code(), absl::StatusCode::kCancelled);
}

TEST_F(TrainTest, BeginsFromAModelWithOtherClasses) {
  const auto first = Train();
  ASSERT_TRUE(first.ok());
  for (int i = 0; i < 6; ++i)
    WriteFile(absl::StrCat("images/extra/", i, ".png"), PatternPng(0, 100 + i, 20));
  wire::Assignment assignment;
  assignment.mutable_initial_model()->set_weights_artifact(
      first->train_result().weights_artifact());
  *assignment.mutable_initial_model()->mutable_metadata() = first->train_result().metadata();
  spec().set_from_model("patterns@1");
  spec().set_epochs(1);
  const auto second = Train(assignment);
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ(second->train_result().classes_size(), 4);
  assignment.mutable_initial_model()->mutable_metadata()->set_architecture("resnet18");
  EXPECT_THAT(std::string(Train(assignment).status().message()), HasSubstr("is a resnet18"));
}

TEST_F(TrainTest, ShufflesTheLabelsOfTheControl) {
  spec().set_epochs(1);
  const auto honest = Train();
  spec().set_shuffle_labels(true);
  const auto control = Train();
  ASSERT_TRUE(control.ok());
  EXPECT_NE(honest->train_result().weights_artifact(), control->train_result().weights_artifact());
}

TEST_F(TrainTest, NamesWhatIsWrongWithTheData) {
  spec().mutable_train()->set_path("/etc");
  EXPECT_THAT(Error(), HasSubstr("data roots"));
  spec().mutable_train()->set_path(root() + "/nowhere");
  EXPECT_THAT(Error(), HasSubstr("/nowhere"));
  WriteFile("empty/readme.txt", "");
  spec().mutable_train()->set_path(root() + "/empty");
  EXPECT_THAT(Error(), HasSubstr("empty"));
  WriteFile("one/cat/1.png", PatternPng(0, 1));
  spec().mutable_train()->set_path(root() + "/one");
  EXPECT_THAT(Error(), HasSubstr("one class only, 'cat'"));
  spec().mutable_train()->set_path(root() + "/images");
  spec().add_classes("class0");
  spec().add_classes("class1");
  EXPECT_THAT(Error(), HasSubstr("label 'class2'"));
}

TEST_F(TrainTest, NamesTheUnreadableImage) {
  WriteFile("images/class1/bad.png", PatternPng(1, 1).substr(0, 40));
  EXPECT_THAT(Error(), HasSubstr("'class1/bad.png'"));
}

TEST_F(TrainTest, NamesWhatIsWrongWithTheSettings) {
  spec().set_architecture("vgg16");
  EXPECT_THAT(Error(), HasSubstr("vgg16"));
  spec().set_architecture("resnet18");
  EXPECT_THAT(Error(), HasSubstr("image_size"));
  spec().set_architecture("small_cnn");
  spec().set_channels(2);
  EXPECT_THAT(Error(), HasSubstr("channels"));
}

TEST_F(TrainTest, SaysThatTheLossDiverged) {
  spec().set_learning_rate(1e30);
  spec().set_optimizer(api::TrainSpec::SGD);
  EXPECT_THAT(Error(), HasSubstr("learning_rate"));
}

TEST_F(TrainTest, RefusesCorruptInitialWeights) {
  spec().set_from_artifact(Put(std::string("\xff\xff\xff\xff\xff\xff\xff\x7f{}", 10)));
  EXPECT_THAT(Error(), HasSubstr("initial weights"));
  spec().set_from_artifact(std::string(64, 'b'));
  EXPECT_THAT(Error(), HasSubstr(std::string(64, 'b')));
}

}  // namespace
}  // namespace switchyard::worker
