#include "scheduler/pipeline/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "google/protobuf/text_format.h"

namespace switchyard::scheduler {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Checked {
  v1::Pipeline pipeline;
  PipelinePlan plan;
  std::string faults;
};

Checked Check(const std::string& text) {
  Checked checked;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &checked.pipeline));
  FieldFaults faults("pipeline");
  checked.plan = PlanPipeline(checked.pipeline, faults);
  checked.faults = std::string(faults.ToStatus().message());
  return checked;
}

constexpr char kTrain[] = R"(
  steps { name: "train" job { train {
    save_as: "digits" epochs: 1 train { path: "/data/digits" } } } })";

TEST(PipelinePlan, AWiredPredictionWaitsForItsTraining) {
  const Checked checked = Check(absl::StrCat(kTrain, R"(
    steps { name: "predict" job { predict { source { path: "/data/x" } } }
      inputs { field: "predict.model" output { step: "train" field: "model" } }
      inputs { field: "predict.version" output { step: "train" field: "version" } } })"));
  EXPECT_EQ(checked.faults, "");
  EXPECT_THAT(checked.plan.steps[1].upstream, ElementsAre(0));
  EXPECT_TRUE(checked.plan.steps[1].wired);
  EXPECT_EQ(checked.pipeline.steps(1).job().predict().model(), "");
  EXPECT_EQ(checked.pipeline.steps(1).job().predict().top_k(), 5u);
}

TEST(PipelinePlan, EveryFaultIsNamedAtOnce) {
  const Checked checked = Check(absl::StrCat(kTrain, R"(
    steps { name: "Bad Name" job { noop {} } after: "nobody" }
    steps { name: "predict" job { predict { model: "m" source { path: "/x" } } }
      inputs { field: "predict.version" output { step: "train" field: "model" } }
      inputs { field: "predict.nothing" output { step: "train" field: "model" } }
      inputs { field: "noop.payload" item: true } })"));
  EXPECT_THAT(checked.faults, AllOf(HasSubstr("steps[1].name"), HasSubstr("\"nobody\""),
                                    HasSubstr("holds a whole number, not a text"),
                                    HasSubstr("\"nothing\""), HasSubstr("the step's own kind")));
}

TEST(PipelinePlan, ACircleIsNamed) {
  const Checked checked = Check(R"(
    steps { name: "a" job { noop {} } after: "c" }
    steps { name: "b" job { noop {} } after: "a" }
    steps { name: "c" job { noop {} } after: "b" }
    steps { name: "d" job { noop {} } })");
  EXPECT_THAT(checked.faults, HasSubstr("circle: a, b, c"));
}

TEST(PipelinePlan, AStepMayNotWaitForItselfNorHaveAnothersName) {
  const Checked checked = Check(R"(
    steps { name: "a" job { noop {} } after: "a" }
    steps { name: "a" job { noop {} } })");
  EXPECT_THAT(checked.faults,
              AllOf(HasSubstr("cannot wait for itself"), HasSubstr("names another step")));
}

TEST(PipelinePlan, ManyValuesNeedAListOrAStepForEach) {
  const std::string wide = R"(
    steps { name: "wide" job { noop {} } for_each { values { values: "1" values: "2" } } }
    steps { name: "next" job { noop {} } inputs { field: "noop.payload"
      output { step: "wide" field: "payload" } } )";
  EXPECT_THAT(Check(wide + "}").faults, HasSubstr("many values"));
  const Checked paired = Check(wide + "for_each { step: \"wide\" } }");
  EXPECT_EQ(paired.faults, "");
  EXPECT_EQ(paired.plan.steps[1].paired_with, 0);
}

TEST(PipelinePlan, AJobsOwnFaultsStandUnderItsStep) {
  const Checked checked = Check("steps { name: \"a\" job { priority: 12 noop {} } }");
  EXPECT_THAT(checked.faults, HasSubstr("pipeline.steps[0].job.priority"));
}

TEST(PipelinePlan, EveryItemIsLookedAtInItsField) {
  const std::string step = R"(
    steps { name: "predict" job { predict { model: "m" } }
      inputs { field: "predict.source.path" item: true } for_each { values { values: "/a" )";
  EXPECT_EQ(Check(step + "values: \"/b\" } } }").faults, "");
  EXPECT_THAT(Check(step + "values: \"b\" } } }").faults,
              HasSubstr("steps[0].for_each.values[1].predict.source.path"));
  EXPECT_THAT(Check("steps { name: \"a\" job { noop {} } inputs { field: \"noop.crash_signal\" "
                    "item: true } for_each { values { values: \"nine\" } } }")
                  .faults,
              HasSubstr("\"nine\" is not a whole number"));
}

TEST(PipelinePlan, TooManyJobsAreRefusedBeforeAnyIsMade) {
  std::string values;
  for (int i = 0; i < 6000; ++i) values += "values: \"x\" ";
  const std::string each = "for_each { values { " + values + "} }";
  const Checked checked = Check("steps { name: \"a\" job { noop {} } " + each +
                                "} steps { name: \"b\" job { noop {} } for_each { step: \"a\" } }");
  EXPECT_THAT(checked.faults, HasSubstr("12000 jobs"));
}

TEST(PipelinePlan, StepsOfOneModelStandTogether) {
  const std::string predict = " job { predict { model: \"%\" source { path: \"/x\" } } } }";
  std::string text;
  for (const char* model : {"a", "b", "a"}) {
    std::string job = predict;
    job.replace(job.find('%'), 1, model);
    text += absl::StrCat("steps { name: \"s", text.size(), "\"", job);
  }
  const Checked checked = Check(text);
  EXPECT_EQ(checked.faults, "");
  EXPECT_THAT(checked.plan.order, ElementsAre(0, 2, 1));
}

}  // namespace
}  // namespace switchyard::scheduler
