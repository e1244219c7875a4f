#include "scheduler/watch/job_view.h"

#include "gtest/gtest.h"

namespace switchyard::scheduler {
namespace {

v1::Job Spec() {
  v1::Job spec;
  spec.mutable_noop()->set_payload("in");
  spec.set_priority(3);
  (*spec.mutable_labels())["old"] = "label";
  return spec;
}

JobImage Image() {
  JobImage image;
  image.id = 77;
  image.tenant = "default";
  image.priority = 2;
  image.create_us = 1'700'000'000'123'456;
  return image;
}

TEST(JobView, TheJobIsItsSpecWithWhatBecameOfIt) {
  JobImage image = Image();
  image.state = JobState::kSucceeded;
  v1::Job result;
  result.mutable_noop_result()->set_payload("out");
  image.result = result.SerializeAsString();
  const auto job = MakeJob(image, Spec().SerializeAsString());
  ASSERT_TRUE(job.ok());
  EXPECT_EQ(job->id(), FormatJobId(77));
  EXPECT_EQ(job->priority(), 2u);
  EXPECT_EQ(job->noop().payload(), "in");
  EXPECT_EQ(job->noop_result().payload(), "out");
  EXPECT_EQ(job->create_time().nanos(), 123'456'000);
  EXPECT_EQ(job->labels().at("old"), "label");
}

TEST(JobView, ChangedLabelsReplaceTheSpecs) {
  v1::Job labels;
  (*labels.mutable_labels())["new"] = "label";
  JobImage image = Image();
  image.labels = EncodeLabels(labels);
  image.labels_changed = true;
  const auto job = MakeJob(image, Spec().SerializeAsString());
  ASSERT_TRUE(job.ok());
  EXPECT_EQ(job->labels().size(), 1u);
  EXPECT_EQ(job->labels().at("new"), "label");
}

TEST(JobView, AJobTheSchedulerEndedItselfHasAnError) {
  JobImage image = Image();
  image.state = JobState::kExpired;
  image.error_code = 4;
  image.message = "expired before it ran";
  const auto job = MakeJob(image, "");
  ASSERT_TRUE(job.ok());
  EXPECT_EQ(job->error().code(), 4);
  EXPECT_EQ(job->error().message(), "expired before it ran");
}

TEST(JobView, AnUnreadableSpecIsDataLossAndNamesTheJob) {
  const auto job = MakeJob(Image(), "\xff\xff");
  EXPECT_EQ(job.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_NE(job.status().message().find(FormatJobId(77)), absl::string_view::npos);
}

}  // namespace
}  // namespace switchyard::scheduler
