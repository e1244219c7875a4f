// Explanations over real gRPC, with a worker that only speaks Attach.
#include <string>

#include "gmock/gmock.h"
#include "scheduler/service/testing/scheduler_fixture.h"

namespace switchyard::scheduler {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

class ExplainJobTest : public SchedulerFixture {
 protected:
  ExplainJobTest() { StartScheduler(); }

  v1::Explanation Explain(const std::string& id) {
    grpc::ClientContext context;
    v1::ExplainJobRequest request;
    request.set_job(id);
    v1::Explanation explanation;
    const grpc::Status status = jobs().ExplainJob(&context, request, &explanation);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return explanation;
  }
  std::unique_ptr<FakeWorker> AttachHoldingWorker() {
    FakeWorkerOptions options;
    options.finish_at_once = false;
    return AttachWorker(options);
  }
  // At most so many of class inference run.
  void Limit(uint32_t most) {
    v1::UpdateLimitsRequest request;
    v1::Limit* limit = request.mutable_limits()->add_limits();
    limit->set_job_class(v1::INFERENCE);
    limit->set_max_running(most);
    grpc::ClientContext context;
    v1::Limits response;
    ASSERT_TRUE(fleet().UpdateLimits(&context, request, &response).ok());
  }
};

TEST_F(ExplainJobTest, WithoutAWorkerItSaysWhatWasAskedAndWhatThereIs) {
  const std::string id = Create(Noop()).id();
  const v1::Explanation explanation = Explain(id);
  EXPECT_EQ(explanation.job(), id);
  EXPECT_EQ(explanation.state(), v1::Job::QUEUED);
  EXPECT_EQ(explanation.reason(), v1::Job::NO_DEVICE);
  EXPECT_THAT(explanation.message(), HasSubstr("no worker is attached"));
  EXPECT_EQ(explanation.position(), 1u);
  EXPECT_FALSE(explanation.has_expected_start_time());
  EXPECT_FALSE(explanation.expected_start_basis().empty());
}

TEST_F(ExplainJobTest, GetAndListSayWhatAJobWaitsForNow) {
  const std::string first = Create(Noop()).id();
  const std::string second = Create(Noop()).id();
  EXPECT_EQ(Get(second).reason(), v1::Job::NO_DEVICE);
  // What it waits for becomes another, and nothing is written to its row.
  Limit(0);
  const auto worker = AttachHoldingWorker();
  const v1::Job job = Get(second);
  EXPECT_EQ(job.state(), v1::Job::QUEUED);
  EXPECT_EQ(job.reason(), v1::Job::LIMIT);
  EXPECT_EQ(job.message(), "every fitting device is at its limit");

  grpc::ClientContext context;
  v1::ListJobsRequest request;
  request.set_filter("state = QUEUED AND reason = LIMIT");
  v1::ListJobsResponse list;
  ASSERT_TRUE(jobs().ListJobs(&context, request, &list).ok());
  ASSERT_THAT(list.jobs(), SizeIs(2));
  EXPECT_EQ(list.jobs(0).id(), second);
  EXPECT_EQ(list.jobs(1).id(), first);
  EXPECT_EQ(list.jobs(1).message(), "every fitting device is at its limit");
}

TEST_F(ExplainJobTest, PositionsCountWhoComesBefore) {
  v1::CreateJobRequest urgent = Noop();
  urgent.mutable_job()->set_priority(2);
  const std::string first = Create(Noop()).id();
  const std::string second = Create(Noop()).id();
  const std::string third = Create(urgent).id();
  EXPECT_EQ(Explain(third).position(), 1u);
  EXPECT_EQ(Explain(first).position(), 2u);
  const v1::Explanation last = Explain(second);
  EXPECT_EQ(last.position(), 3u);
  EXPECT_EQ(last.competing(), 3u);
  EXPECT_FALSE(last.position_approximate());
}

TEST_F(ExplainJobTest, AFullDeviceTellsItsNumbers) {
  Limit(1);
  const auto worker = AttachHoldingWorker();
  const std::string running = Create(Noop()).id();
  const auto assignment = worker->TakeAssignment();
  ASSERT_NE(assignment, nullptr);
  worker->Start(assignment->ref());
  EXPECT_EQ(Explain(running).reason(), v1::Job::REASON_UNSPECIFIED);
  std::string waiting;
  // Work of known length is handed on ahead of time; what comes then waits.
  v1::Explanation explanation;
  for (int i = 0; i < 3000; ++i) {
    waiting = Create(Noop()).id();
    if (i % 50 != 0) continue;
    explanation = Explain(waiting);
    if (explanation.reason() == v1::Job::LIMIT) break;
  }
  ASSERT_EQ(explanation.reason(), v1::Job::LIMIT) << explanation.DebugString();
  ASSERT_THAT(explanation.places(), SizeIs(1));
  EXPECT_EQ(explanation.places(0).worker(), "worker-1");
  EXPECT_EQ(explanation.places(0).running(), 1u);
  EXPECT_EQ(explanation.places(0).limit(), 1u);
  EXPECT_THAT(explanation.message(), HasSubstr("1 of 1"));
}

TEST_F(ExplainJobTest, AnEndedJobTellsHowItEnded) {
  const auto worker = AttachWorker();
  const std::string id = Create(Noop()).id();
  ASSERT_EQ(Wait(id).state(), v1::Job::SUCCEEDED);
  const v1::Explanation explanation = Explain(id);
  EXPECT_EQ(explanation.state(), v1::Job::SUCCEEDED);
  EXPECT_EQ(explanation.position(), 0u);
}

TEST_F(ExplainJobTest, NotBeforeTellsTheTime) {
  v1::CreateJobRequest request = Noop();
  request.mutable_job()->mutable_not_before()->set_seconds(4'000'000'000);
  const v1::Explanation explanation = Explain(Create(request).id());
  EXPECT_EQ(explanation.reason(), v1::Job::NOT_BEFORE);
  EXPECT_EQ(explanation.until().seconds(), 4'000'000'000);
  EXPECT_EQ(explanation.position(), 0u);
}

TEST_F(ExplainJobTest, AnUnknownJobIsNotFound) {
  grpc::ClientContext context;
  v1::ExplainJobRequest request;
  request.set_job("0000000000001");
  v1::Explanation explanation;
  EXPECT_EQ(jobs().ExplainJob(&context, request, &explanation).error_code(),
            grpc::StatusCode::NOT_FOUND);
}

TEST_F(ExplainJobTest, ValidateOnlyTellsWhatTheJobWouldMeet) {
  v1::CreateJobRequest request = Noop();
  request.set_validate_only(true);
  const v1::Job nowhere = Create(request);
  EXPECT_TRUE(nowhere.id().empty());
  EXPECT_EQ(nowhere.explanation().reason(), v1::Job::NO_DEVICE);
  const auto worker = AttachHoldingWorker();
  const v1::Job at_once = Create(request);
  EXPECT_EQ(at_once.explanation().reason(), v1::Job::REASON_UNSPECIFIED);
  EXPECT_EQ(at_once.explanation().position(), 1u);
  EXPECT_TRUE(at_once.explanation().has_expected_start_time());
  EXPECT_EQ(at_once.explanation().places_total(), 1u);
}

}  // namespace
}  // namespace switchyard::scheduler
