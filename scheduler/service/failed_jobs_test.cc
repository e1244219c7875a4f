// Calls on many failed jobs over real gRPC.
#include <set>
#include <string>

#include "gmock/gmock.h"
#include "scheduler/service/testing/scheduler_fixture.h"

namespace switchyard::scheduler {
namespace {

using ::testing::SizeIs;

class FailedJobsTest : public SchedulerFixture {
 protected:
  FailedJobsTest() { StartScheduler(); }

  // Jobs whose attempts fail as their spec says.
  std::vector<std::string> Fail(int count, const std::string& team) {
    FakeWorkerOptions options;
    options.finish_at_once = false;
    const auto worker = AttachWorker(options);
    std::vector<std::string> ids;
    for (int i = 0; i < count; ++i) {
      v1::CreateJobRequest request = Noop();
      (*request.mutable_job()->mutable_labels())["team"] = team;
      ids.push_back(Create(request).id());
      const auto assignment = worker->TakeAssignment();
      worker->Finish(assignment->ref(), v1::Attempt::FAILED);
      EXPECT_EQ(Wait(ids.back()).state(), v1::Job::FAILED);
    }
    return ids;
  }

  grpc::Status Retry(const v1::BatchRetryJobsRequest& request,
                     v1::BatchRetryJobsResponse* response) {
    grpc::ClientContext context;
    return jobs().BatchRetryJobs(&context, request, response);
  }
  grpc::Status Discard(const v1::BatchDiscardJobsRequest& request,
                       v1::BatchDiscardJobsResponse* response) {
    grpc::ClientContext context;
    return jobs().BatchDiscardJobs(&context, request, response);
  }
};

TEST_F(FailedJobsTest, AFilterChoosesWhichAreRetried) {
  const auto radio = Fail(3, "radio");
  const auto vision = Fail(2, "vision");
  v1::BatchRetryJobsRequest request;
  request.set_filter("reason = WORK_FAILED AND labels.team = radio");
  v1::BatchRetryJobsResponse response;
  const grpc::Status status = Retry(request, &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_THAT(response.jobs(), SizeIs(3));
  EXPECT_TRUE(response.next_page_token().empty());
  for (const std::string& id : radio) EXPECT_EQ(Get(id).state(), v1::Job::QUEUED);
  for (const std::string& id : vision) EXPECT_EQ(Get(id).state(), v1::Job::FAILED);
}

TEST_F(FailedJobsTest, ARepeatIsToldTheSameAndDoesNothing) {
  const auto ids = Fail(2, "radio");
  v1::BatchDiscardJobsRequest request;
  request.set_filter("*");
  request.set_request_id("clean-up-1");
  v1::BatchDiscardJobsResponse first, repeat;
  ASSERT_TRUE(Discard(request, &first).ok());
  EXPECT_THAT(first.jobs(), SizeIs(2));
  Fail(1, "radio");
  ASSERT_TRUE(Discard(request, &repeat).ok());
  EXPECT_EQ(repeat.SerializeAsString(), first.SerializeAsString());
  v1::ListJobsRequest list;
  list.set_filter("state = FAILED");
  v1::ListJobsResponse left;
  grpc::ClientContext context;
  ASSERT_TRUE(jobs().ListJobs(&context, list, &left).ok());
  EXPECT_THAT(left.jobs(), SizeIs(1));
}

TEST_F(FailedJobsTest, WhatCannotBeChangedIsToldAndTheRestIsDone) {
  const auto ids = Fail(1, "radio");
  const std::string waiting = Create(Noop()).id();
  v1::BatchDiscardJobsRequest request;
  request.add_jobs(waiting);
  request.add_jobs(ids[0]);
  request.add_jobs(ids[0]);
  v1::BatchDiscardJobsResponse response;
  ASSERT_TRUE(Discard(request, &response).ok());
  ASSERT_THAT(response.jobs(), SizeIs(1));
  EXPECT_EQ(response.jobs(0), ids[0]);
  ASSERT_THAT(response.failures(), SizeIs(1));
  EXPECT_EQ(response.failures(0).job(), waiting);
  EXPECT_EQ(response.failures(0).error().code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(Get(waiting).state(), v1::Job::QUEUED);
}

TEST_F(FailedJobsTest, AllAreReachedPageByPage) {
  // More than one call may change.
  const auto ids = Fail(3, "radio");
  std::set<std::string> gone;
  v1::BatchDiscardJobsRequest request;
  request.set_filter("labels.team = radio");
  do {
    v1::BatchDiscardJobsResponse response;
    ASSERT_TRUE(Discard(request, &response).ok());
    gone.insert(response.jobs().begin(), response.jobs().end());
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  EXPECT_EQ(gone, std::set<std::string>(ids.begin(), ids.end()));
}

TEST_F(FailedJobsTest, AmbiguousRequestsAreRefused) {
  v1::BatchRetryJobsResponse response;
  v1::BatchRetryJobsRequest nothing;
  EXPECT_EQ(Retry(nothing, &response).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  v1::BatchRetryJobsRequest both;
  both.set_filter("*");
  both.add_jobs("0000000000001");
  EXPECT_EQ(Retry(both, &response).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  v1::BatchRetryJobsRequest state;
  state.set_filter("state = RUNNING");
  EXPECT_EQ(Retry(state, &response).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

}  // namespace
}  // namespace switchyard::scheduler
