#include <limits>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "scheduler/validation/job_spec.h"

namespace switchyard::scheduler {
namespace {

using ::testing::HasSubstr;

v1::TrainSpec Good() {
  v1::TrainSpec spec;
  spec.mutable_train()->set_path("/data/digits");
  spec.set_save_as("digits");
  return spec;
}

std::string Faults(v1::TrainSpec& spec) {
  FieldFaults faults("job");
  NormalizeTrain(spec, faults);
  return std::string(faults.ToStatus().message());
}

TEST(TrainSpec, DefaultsAreThoseOfTheProto) {
  v1::TrainSpec spec = Good();
  spec.mutable_train()->set_format(v1::Source::IMAGE_FOLDER);
  EXPECT_EQ(Faults(spec), "");
  EXPECT_EQ(spec.architecture(), "small_cnn");
  EXPECT_EQ(spec.batch_size(), 32u);
  EXPECT_EQ(spec.image_size(), 32u);
  EXPECT_EQ(spec.channels(), 3u);
  EXPECT_EQ(spec.epochs(), 10u);
  EXPECT_EQ(spec.learning_rate(), 0.001);
  EXPECT_EQ(spec.optimizer(), v1::TrainSpec::ADAM);
  EXPECT_EQ(spec.validation_fraction(), 0.1);
  EXPECT_EQ(spec.checkpoint_interval().seconds(), 60);
}

TEST(TrainSpec, DefaultsDependOnArchitectureAndData) {
  v1::TrainSpec spec = Good();
  spec.set_architecture("resnet18");
  spec.mutable_train()->set_format(v1::Source::SIGMF);
  spec.mutable_validation()->set_path("/data/validation");
  EXPECT_EQ(Faults(spec), "");
  EXPECT_EQ(spec.image_size(), 224u);
  EXPECT_EQ(spec.channels(), 1u);
  EXPECT_EQ(spec.validation_fraction(), 0);
}

TEST(TrainSpec, NothingIsHeldOutWhenNothingIsAsked) {
  v1::TrainSpec spec = Good();
  spec.set_validation_fraction(0);
  EXPECT_EQ(Faults(spec), "");
  EXPECT_TRUE(spec.has_validation_fraction());
  EXPECT_EQ(spec.validation_fraction(), 0);
}

TEST(TrainSpec, EveryFaultIsNamed) {
  v1::TrainSpec spec;
  spec.set_architecture("vgg");
  spec.set_batch_size(5000);
  spec.set_image_size(4);
  spec.set_epochs(20000);
  spec.set_channels(2);
  spec.set_learning_rate(std::numeric_limits<double>::quiet_NaN());
  spec.set_weight_decay(-1);
  spec.set_validation_fraction(0.95);
  spec.set_optimizer(static_cast<v1::TrainSpec::Optimizer>(77));
  spec.add_classes("only");
  spec.set_save_as("Bad Name");
  spec.set_from_model("x@y");
  spec.mutable_checkpoint_interval()->set_nanos(5);
  const std::string message = Faults(spec);
  for (const char* field : {"architecture", "batch_size", "image_size", "epochs", "channels",
                            "learning_rate", "weight_decay", "validation_fraction", "optimizer",
                            "classes", "save_as", "from_model", "checkpoint_interval", "train"}) {
    EXPECT_THAT(message, HasSubstr(std::string("job.train.") + field));
  }
}

TEST(TrainSpec, ClassesMustBeDistinct) {
  v1::TrainSpec spec = Good();
  for (const char* name : {"cat", "dog", "cat"}) spec.add_classes(name);
  EXPECT_THAT(Faults(spec), HasSubstr("job.train.classes[2]"));
}

TEST(TrainSpec, PathsMustBeAbsoluteAndStayBelow) {
  for (const char* bad : {"data", "", "/data/../etc", "/.."}) {
    v1::TrainSpec spec = Good();
    spec.mutable_train()->set_path(bad);
    EXPECT_THAT(Faults(spec), HasSubstr("job.train.train.path")) << bad;
  }
  v1::TrainSpec spec = Good();
  spec.mutable_train()->set_path("/data/..hidden/a..b");
  EXPECT_EQ(Faults(spec), "");
}

TEST(TrainSpec, AnArtifactIsAHash) {
  v1::TrainSpec spec = Good();
  spec.mutable_train()->set_artifact("ABC");
  EXPECT_THAT(Faults(spec), HasSubstr("job.train.train.artifact"));
}

}  // namespace
}  // namespace switchyard::scheduler
