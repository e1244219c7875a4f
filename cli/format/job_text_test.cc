#include "cli/format/job_text.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace switchyard::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

v1::Job Prediction() {
  v1::Job job;
  job.set_id("0123456789abc");
  job.set_state(v1::Job::SUCCEEDED);
  job.mutable_predict()->set_model("digits");
  job.mutable_predict()->set_version(2);
  auto* result = job.mutable_predict_result();
  result->set_model("digits");
  result->set_version(2);
  result->set_item_count(2);
  result->set_error_count(1);
  auto* good = result->add_items();
  good->set_item("a.png");
  auto* answer = good->add_answers();
  answer->set_label("seven");
  answer->set_probability(0.981);
  auto* bad = result->add_items();
  bad->set_item("b.png");
  bad->set_error("is no image");
  return job;
}

TEST(JobText, AStateTellsItsReason) {
  v1::Job job;
  job.set_state(v1::Job::QUEUED);
  job.set_reason(v1::Job::NO_DEVICE);
  EXPECT_EQ(StateText(job), "QUEUED (no device)");
  job.set_state(v1::Job::RUNNING);
  job.set_reason(v1::Job::REASON_UNSPECIFIED);
  job.set_phase(v1::Job::PREPARING);
  EXPECT_EQ(StateText(job), "RUNNING (preparing)");
}

TEST(JobText, APredictionShowsAnswersAndErrorsPerItem) {
  const std::string text = ResultText(Prediction());
  EXPECT_THAT(text, HasSubstr("a.png  seven 98.1 %"));
  EXPECT_THAT(text, HasSubstr("b.png  error: is no image"));
  EXPECT_THAT(text, HasSubstr("2 items, 1 with errors"));
}

TEST(JobText, AListHasOneLineAJob) {
  google::protobuf::RepeatedPtrField<v1::Job> jobs;
  *jobs.Add() = Prediction();
  const std::string text = JobsTable(jobs, absl::UnixEpoch());
  EXPECT_THAT(text, HasSubstr("0123456789abc  predict  SUCCEEDED"));
  EXPECT_THAT(text, HasSubstr("digits@2"));
}

TEST(JobText, AnErrorIsPartOfHowAJobEnded) {
  v1::Job job;
  job.set_id("0123456789abc");
  job.set_state(v1::Job::FAILED);
  job.mutable_error()->set_message("there is\033 no folder");
  EXPECT_EQ(EndText(job), "job 0123456789abc FAILED: there is? no folder\n");
}

TEST(JobText, DetailsLeaveOutWhatIsNotThere) {
  v1::Job job;
  job.set_state(v1::Job::QUEUED);
  job.mutable_noop();
  EXPECT_THAT(JobDetails(job, absl::UnixEpoch()), Not(HasSubstr("started")));
}

}  // namespace
}  // namespace switchyard::cli
