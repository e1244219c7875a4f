#include "scheduler/validation/job_spec.h"

#include <string>

#include "common/status/error.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace switchyard::scheduler {
namespace {

using ::testing::HasSubstr;

v1::Job Noop() {
  v1::Job job;
  job.mutable_noop()->set_payload("x");
  return job;
}

absl::Status Normalize(v1::Job& job) {
  FieldFaults faults("job");
  NormalizeJob(job, faults);
  return faults.ToStatus();
}

TEST(JobSpec, ANoopGetsItsDefaults) {
  v1::Job job = Noop();
  ASSERT_TRUE(Normalize(job).ok());
  EXPECT_EQ(job.priority(), 3u);
  EXPECT_EQ(job.device(), "auto");
  EXPECT_EQ(job.timeout().seconds(), 3600);
}

TEST(JobSpec, WhatTheCallerSetStays) {
  v1::Job job = Noop();
  job.set_priority(9);
  job.set_device("cuda:1");
  job.mutable_timeout()->set_seconds(5);
  ASSERT_TRUE(Normalize(job).ok());
  EXPECT_EQ(job.priority(), 9u);
  EXPECT_EQ(job.device(), "cuda:1");
  EXPECT_EQ(job.timeout().seconds(), 5);
}

TEST(JobSpec, OutputOnlyFieldsAreDropped) {
  v1::Job job = Noop();
  job.set_id("someone-else");
  job.set_tenant("root");
  job.set_state(v1::Job::SUCCEEDED);
  job.mutable_noop_result()->set_payload("forged");
  job.add_attempts();
  job.add_history();
  job.add_outputs();
  ASSERT_TRUE(Normalize(job).ok());
  v1::Job plain = Noop();
  ASSERT_TRUE(Normalize(plain).ok());
  EXPECT_EQ(job.SerializeAsString(), plain.SerializeAsString());
}

TEST(JobSpec, NormalisingTwiceChangesNothing) {
  v1::Job job = Noop();
  ASSERT_TRUE(Normalize(job).ok());
  const std::string once = job.SerializeAsString();
  ASSERT_TRUE(Normalize(job).ok());
  EXPECT_EQ(job.SerializeAsString(), once);
}

TEST(JobSpec, AGangHasAtMost1024Devices) {
  v1::Job job = Noop();
  job.set_device_count(1024);
  EXPECT_TRUE(Normalize(job).ok());
  job.set_device_count(1025);
  EXPECT_THAT(std::string(Normalize(job).message()), HasSubstr("device_count"));
}

TEST(JobSpec, AJobWithoutAKindIsToldTheKinds) {
  v1::Job job;
  EXPECT_THAT(std::string(Normalize(job).message()), HasSubstr("noop, train, predict"));
}

TEST(JobSpec, EveryFaultIsNamedAtOnce) {
  v1::Job job = Noop();
  job.set_priority(10);
  job.set_device("gpu");
  (*job.mutable_labels())["Bad Key"] = "v";
  job.mutable_timeout()->set_seconds(-1);
  job.mutable_not_before()->set_nanos(-1);
  job.mutable_noop()->set_payload(std::string(kMostInlineBytes + 1, 'x'));
  job.mutable_noop()->mutable_hold()->set_seconds(3601);
  const std::string message(Normalize(job).message());
  for (const char* field : {"job.priority", "job.device", "job.labels", "job.timeout",
                            "job.not_before", "job.noop.payload", "job.noop.hold"}) {
    EXPECT_THAT(message, HasSubstr(field));
  }
}

TEST(JobSpec, FaultsOfABatchNameTheEntry) {
  FieldFaults faults("jobs");
  faults.SetIndex(3);
  v1::Job job = Noop();
  job.set_device("gpu");
  NormalizeJob(job, faults);
  EXPECT_THAT(std::string(faults.ToStatus().message()), HasSubstr("jobs[3].device"));
}

TEST(JobSpec, FaultsAreBounded) {
  FieldFaults faults("jobs");
  for (size_t i = 0; i < 10000; ++i) {
    faults.SetIndex(i);
    v1::Job job;
    NormalizeJob(job, faults);
  }
  const absl::Status status = faults.ToStatus();
  // As gRPC sends it: the details in base64 beside the message.
  EXPECT_LT(ToProto(status).ByteSizeLong() * 4 / 3 + status.message().size(), 7000u);
}

TEST(JobSpec, WhatTheCallerWroteIsRepeatedInPartOnly) {
  v1::Job job = Noop();
  std::string key = "x";
  for (int i = 0; i < 100'000; ++i) key += "\xc3\xa4";
  (*job.mutable_labels())[key] = "v";
  const absl::Status status = Normalize(job);
  EXPECT_LT(status.message().size(), 500u);
  google::rpc::Status parsed;  // Cut between characters: else this would not parse.
  EXPECT_TRUE(parsed.ParseFromString(ToProto(status).SerializeAsString()));
}

TEST(JobSpec, PriorityAboveTheHighestAllowedIsRefused) {
  v1::Job job = Noop();
  job.set_priority(2);
  const FieldFaults faults("job");
  EXPECT_TRUE(CheckAllowed(job, {.allow_noop = true, .highest_priority = 2}, faults).ok());
  const absl::Status refused =
      CheckAllowed(job, {.allow_noop = true, .highest_priority = 3}, faults);
  EXPECT_EQ(refused.code(), absl::StatusCode::kPermissionDenied);
}

TEST(JobSpec, ANoopThatIsSwitchedOffNamesTheSetting) {
  v1::Job job = Noop();
  ASSERT_TRUE(Normalize(job).ok());
  const absl::Status refused = CheckAllowed(job, {.allow_noop = false}, FieldFaults("job"));
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("allow_noop"));
}

TEST(JobSpec, APredictNeedsAModelAndOneInput) {
  v1::Job job;
  job.mutable_predict();
  const std::string message(Normalize(job).message());
  EXPECT_THAT(message, HasSubstr("job.predict.model"));
  EXPECT_THAT(message, HasSubstr("data and source"));
  job.mutable_predict()->set_model("digits");
  job.mutable_predict()->set_data("png");
  EXPECT_TRUE(Normalize(job).ok());
  EXPECT_EQ(job.predict().top_k(), 5u);
}

}  // namespace
}  // namespace switchyard::scheduler
