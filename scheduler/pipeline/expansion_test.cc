#include "scheduler/pipeline/expansion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "google/protobuf/text_format.h"
#include "scheduler/pipeline/wiring.h"

namespace switchyard::scheduler {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

struct Made {
  storage::v1::PipelineRecord record;
  PipelinePlan plan;
};

Made Make(const std::string& text) {
  Made made;
  v1::Pipeline& pipeline = *made.record.mutable_pipeline();
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &pipeline));
  FieldFaults faults("pipeline");
  made.plan = PlanPipeline(pipeline, faults);
  EXPECT_TRUE(faults.empty()) << faults.ToStatus();
  pipeline.set_id("p");
  return made;
}

constexpr char kFan[] = R"(
  steps { name: "items" job { noop {} } for_each { values { values: "x" values: "y" } }
    inputs { field: "noop.payload" item: true } }
  steps { name: "each" job { noop {} } for_each { step: "items" }
    inputs { field: "noop.payload" output { step: "items" field: "payload" } } }
  steps { name: "all" job { noop {} } after: "each" })";

TEST(Expansion, AStepForEachIsAJobForEachWithItsItem) {
  const Made made = Make(kFan);
  const auto expansion = ExpandPipeline(made.record, made.plan, {});
  ASSERT_TRUE(expansion.ok()) << expansion.status();
  ASSERT_THAT(expansion->jobs, SizeIs(5));
  EXPECT_EQ(expansion->jobs[1].job.noop().payload(), "y");
  EXPECT_EQ(expansion->jobs[1].job.array_index(), 1u);
  EXPECT_EQ(expansion->jobs[1].job.step(), "items");
  EXPECT_EQ(expansion->jobs[1].job.pipeline(), "p");
  EXPECT_TRUE(expansion->complete);
}

TEST(Expansion, PairedStepsWaitOneForOneAndOthersForAll) {
  const Made made = Make(kFan);
  const auto expansion = ExpandPipeline(made.record, made.plan, {});
  const auto& paired = expansion->jobs[3].depends_on;
  ASSERT_THAT(paired, SizeIs(1));
  EXPECT_EQ(paired[0].jobs, (JobRange{1, 1}));
  EXPECT_TRUE(paired[0].in_submit);
  const auto& all = expansion->jobs[4].depends_on;
  ASSERT_THAT(all, SizeIs(1));
  EXPECT_EQ(all[0].jobs, (JobRange{2, 2}));
}

constexpr char kDynamic[] = R"(
  steps { name: "list" job { noop {} } }
  steps { name: "each" job { noop {} } for_each { output { step: "list" field: "payload" } }
    inputs { field: "noop.payload" item: true } }
  steps { name: "last" job { noop {} } after: "each" })";

TEST(Expansion, WhatFollowsAnUnknownListWaitsForIt) {
  Made made = Make(kDynamic);
  auto expansion = ExpandPipeline(made.record, made.plan, {});
  ASSERT_THAT(expansion->jobs, SizeIs(1));
  EXPECT_FALSE(expansion->complete);
  auto& list = *made.record.add_steps();
  list.set_step("list");
  list.set_first_job(100);
  list.set_count(1);
  expansion = ExpandPipeline(made.record, made.plan, {{"each", {"a", "b", "c"}}});
  ASSERT_THAT(expansion->jobs, SizeIs(4));
  EXPECT_TRUE(expansion->complete);
  EXPECT_EQ(expansion->jobs[2].job.noop().payload(), "c");
  EXPECT_FALSE(expansion->jobs[0].depends_on[0].in_submit);
  EXPECT_EQ(expansion->jobs[0].depends_on[0].jobs, (JobRange{100, 1}));
  EXPECT_EQ(expansion->jobs[3].depends_on[0].jobs, (JobRange{0, 3}));
}

TEST(Expansion, AnEmptyListIsNothingToWaitFor) {
  Made made = Make(kDynamic);
  auto& list = *made.record.add_steps();
  list.set_step("list");
  list.set_first_job(100);
  list.set_count(1);
  const auto expansion = ExpandPipeline(made.record, made.plan, {{"each", {}}});
  ASSERT_THAT(expansion->jobs, SizeIs(1));
  EXPECT_THAT(expansion->jobs[0].depends_on, IsEmpty());
}

TEST(Expansion, TooLongAListIsRefusedWithItsLength) {
  const Made made = Make(kDynamic);
  storage::v1::PipelineRecord record = made.record;
  auto& list = *record.add_steps();
  list.set_step("list");
  list.set_count(1);
  const auto expansion =
      ExpandPipeline(record, made.plan, {{"each", std::vector<std::string>(10'001)}});
  EXPECT_THAT(std::string(expansion.status().message()), HasSubstr("10002"));
}

TEST(Expansion, ItemsAreLinesOrElementsOrArtifacts) {
  const Made made = Make(kDynamic);
  v1::Job job;
  job.mutable_noop_result()->set_payload("a\nb\n\nc\n");
  EXPECT_THAT(ItemsFrom(made.record.pipeline().steps(1), job), ElementsAre("a", "b", "c"));
  v1::PipelineStep step;
  step.mutable_for_each()->mutable_artifacts()->set_name("part-");
  for (const char* name : {"part-1", "other", "part-2"}) {
    v1::OutputArtifact* output = job.add_outputs();
    output->set_name(name);
    output->set_sha256(std::string("hash of ") + name);
  }
  EXPECT_THAT(ItemsFrom(step, job), ElementsAre("hash of part-1", "hash of part-2"));
}

TEST(Wiring, PutsResultsAndArtifactsIntoTheJob) {
  storage::v1::WiringRecord wiring;
  auto& model = *wiring.add_wires();
  model.set_field("predict.model");
  model.set_output("model");
  auto& artifact = *wiring.add_wires();
  artifact.set_field("predict.source.artifact");
  artifact.set_artifact("set");
  v1::Job upstream;
  upstream.mutable_train_result()->set_model("digits");
  upstream.add_outputs()->set_name("set");
  upstream.mutable_outputs(0)->set_sha256("hash");
  const auto give = [&](uint32_t) -> absl::StatusOr<std::vector<v1::Job>> {
    return std::vector<v1::Job>{upstream};
  };
  v1::Job job;
  ASSERT_TRUE(ApplyWires(wiring, give, job).ok());
  EXPECT_EQ(job.predict().model(), "digits");
  EXPECT_EQ(job.predict().source().artifact(), "hash");
  upstream.clear_outputs();
  EXPECT_THAT(std::string(ApplyWires(wiring, give, job).message()), HasSubstr("made no artifact"));
}

}  // namespace
}  // namespace switchyard::scheduler
