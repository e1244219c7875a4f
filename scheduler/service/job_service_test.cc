// JobService over real gRPC, with the SQLite store and a worker that only speaks Attach.
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "common/rpc/status.h"
#include "common/status/error.h"
#include "gmock/gmock.h"
#include "scheduler/service/testing/scheduler_fixture.h"

namespace switchyard::scheduler {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class JobServiceTest : public SchedulerFixture {
 protected:
  JobServiceTest() { StartScheduler(); }

  template <typename Request, typename Response>
  grpc::Status Call(grpc::Status (v1::JobService::Stub::*method)(grpc::ClientContext*,
                                                                 const Request&, Response*),
                    const Request& request, Response* response) {
    grpc::ClientContext context;
    return (jobs().*method)(&context, request, response);
  }

  v1::Job Cancel(const std::string& id) {
    v1::CancelJobRequest request;
    request.set_job(id);
    v1::Job job;
    const grpc::Status status = Call(&v1::JobService::Stub::CancelJob, request, &job);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return job;
  }

  // `seen_first` is called when the first event came.
  std::vector<v1::JobEvent> Watch(
      const std::string& id, const std::string& from = "",
      const std::function<void()>& seen_first = [] {}) {
    grpc::ClientContext context;
    v1::WatchJobRequest request;
    request.set_job(id);
    request.set_last_event_id(from);
    auto reader = jobs().WatchJob(&context, request);
    std::vector<v1::JobEvent> events;
    v1::JobEvent event;
    while (reader->Read(&event)) {
      events.push_back(event);
      if (events.size() == 1) seen_first();
    }
    const grpc::Status status = reader->Finish();
    EXPECT_TRUE(status.ok()) << status.error_message();
    return events;
  }
};

std::vector<std::string> Shape(const std::vector<v1::JobEvent>& events) {
  std::vector<std::string> shape;
  for (const v1::JobEvent& event : events) {
    if (event.has_state()) shape.push_back(v1::Job::State_Name(event.state().state()));
    if (event.has_progress()) shape.push_back("progress");
    if (event.has_gap()) shape.push_back("gap");
  }
  return shape;
}

TEST_F(JobServiceTest, AJobGoesFromSubmitToResult) {
  const auto worker = AttachWorker();
  const v1::Job created = Create(Noop("hello"));
  EXPECT_EQ(created.state(), v1::Job::QUEUED);
  EXPECT_EQ(created.tenant(), "default");
  EXPECT_EQ(created.priority(), 3u);
  EXPECT_EQ(created.id().size(), 13u);
  const v1::Job done = Wait(created.id());
  EXPECT_EQ(done.state(), v1::Job::SUCCEEDED);
  EXPECT_EQ(done.noop_result().payload(), "hello");
  EXPECT_EQ(done.noop().payload(), "hello");
  ASSERT_THAT(done.attempts(), SizeIs(1));
  EXPECT_EQ(done.attempts(0).worker(), "worker-1");
  EXPECT_EQ(done.attempts(0).outcome(), v1::Attempt::SUCCEEDED);
}

TEST_F(JobServiceTest, FaultsAreNamedWithDetails) {
  v1::CreateJobRequest request = Noop();
  request.mutable_job()->set_priority(12);
  request.mutable_job()->set_device("gpu");
  v1::Job job;
  const grpc::Status status = Call(&v1::JobService::Stub::CreateJob, request, &job);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  const google::rpc::Status rich = ToProto(FromGrpc(status));
  google::rpc::BadRequest bad;
  for (const auto& detail : rich.details()) detail.UnpackTo(&bad);
  ASSERT_THAT(bad.field_violations(), SizeIs(2));
  EXPECT_EQ(bad.field_violations(0).field(), "job.priority");
}

TEST_F(JobServiceTest, AnUnknownJobIsNotFound) {
  v1::GetJobRequest request;
  v1::Job job;
  for (const char* id : {"0000000000001", "nonsense"}) {
    request.set_job(id);
    EXPECT_EQ(Call(&v1::JobService::Stub::GetJob, request, &job).error_code(),
              grpc::StatusCode::NOT_FOUND)
        << id;
  }
}

TEST_F(JobServiceTest, AnUnknownModelIsNotFoundAndNamed) {
  v1::CreateJobRequest request;
  request.mutable_job()->mutable_predict()->set_model("digits");
  request.mutable_job()->mutable_predict()->set_data("png");
  v1::Job job;
  const grpc::Status status = Call(&v1::JobService::Stub::CreateJob, request, &job);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_THAT(status.error_message(), HasSubstr("digits"));
}

TEST_F(JobServiceTest, ARepeatGivesTheFirstAnswer) {
  v1::CreateJobRequest request = Noop("one");
  request.set_request_id("once");
  const v1::Job first = Create(request);
  EXPECT_EQ(Create(request).id(), first.id());
  request.mutable_job()->mutable_noop()->set_payload("two");
  v1::Job job;
  EXPECT_EQ(Call(&v1::JobService::Stub::CreateJob, request, &job).error_code(),
            grpc::StatusCode::ALREADY_EXISTS);
}

TEST_F(JobServiceTest, ABatchIsAcceptedWholeOrNotAtAll) {
  v1::BatchCreateJobsRequest request;
  for (int i = 0; i < 100; ++i) request.add_jobs()->mutable_noop()->set_payload(std::to_string(i));
  request.mutable_jobs(70)->set_device("gpu");
  v1::BatchCreateJobsResponse response;
  const grpc::Status refused = Call(&v1::JobService::Stub::BatchCreateJobs, request, &response);
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(refused.error_message(), HasSubstr("jobs[70].device"));
  v1::ListJobsResponse list;
  ASSERT_TRUE(Call(&v1::JobService::Stub::ListJobs, v1::ListJobsRequest(), &list).ok());
  EXPECT_THAT(list.jobs(), SizeIs(0));
  request.mutable_jobs(70)->clear_device();
  request.set_request_id("batch");
  ASSERT_TRUE(Call(&v1::JobService::Stub::BatchCreateJobs, request, &response).ok());
  EXPECT_EQ(std::set<std::string>(response.ids().begin(), response.ids().end()).size(), 100u);
  EXPECT_EQ(Get(response.ids(42)).noop().payload(), "42");
  v1::BatchCreateJobsResponse again;
  ASSERT_TRUE(Call(&v1::JobService::Stub::BatchCreateJobs, request, &again).ok());
  EXPECT_EQ(again.ids(99), response.ids(99));
}

TEST_F(JobServiceTest, ValidateOnlyStoresNothing) {
  v1::CreateJobRequest request = Noop();
  request.set_validate_only(true);
  const v1::Job checked = Create(request);
  EXPECT_EQ(checked.id(), "");
  EXPECT_EQ(checked.priority(), 3u);
  v1::ListJobsResponse list;
  ASSERT_TRUE(Call(&v1::JobService::Stub::ListJobs, v1::ListJobsRequest(), &list).ok());
  EXPECT_THAT(list.jobs(), SizeIs(0));
}

TEST_F(JobServiceTest, AQueuedJobIsCancelledAtOnce) {
  const v1::Job job = Create(Noop());
  EXPECT_EQ(Cancel(job.id()).state(), v1::Job::CANCELLED);
  EXPECT_EQ(Cancel(job.id()).state(), v1::Job::CANCELLED);
}

TEST_F(JobServiceTest, ARunningJobIsCancelledThroughItsWorker) {
  const auto worker = AttachWorker({.finish_at_once = false});
  const v1::Job job = Create(Noop());
  const auto assignment = worker->TakeAssignment();
  ASSERT_NE(assignment, nullptr);
  worker->Start(assignment->ref());
  worker->SendProgress(assignment->ref(), 1, 0.5);
  EXPECT_EQ(Cancel(job.id()).state(), v1::Job::CANCELLING);
  ASSERT_TRUE(worker->WaitForCancel(assignment->ref()));
  worker->Finish(assignment->ref(), v1::Attempt::CANCELLED);
  EXPECT_EQ(Wait(job.id()).state(), v1::Job::CANCELLED);
  EXPECT_TRUE(worker->WaitForAcknowledgement(assignment->ref()));
}

TEST_F(JobServiceTest, AFailedJobCanBeRetriedUpdatedAndDeleted) {
  const auto worker = AttachWorker({.finish_at_once = false});
  const v1::Job job = Create(Noop());
  auto assignment = worker->TakeAssignment();
  ASSERT_NE(assignment, nullptr);
  v1::DeleteJobRequest remove;
  remove.set_job(job.id());
  google::protobuf::Empty empty;
  EXPECT_EQ(Call(&v1::JobService::Stub::DeleteJob, remove, &empty).error_code(),
            grpc::StatusCode::FAILED_PRECONDITION);
  worker->Finish(assignment->ref(), v1::Attempt::FAILED, "bad data");
  const v1::Job failed = Wait(job.id());
  EXPECT_EQ(failed.state(), v1::Job::FAILED);
  EXPECT_EQ(failed.error().message(), "bad data");
  v1::RetryJobRequest retry;
  retry.set_job(job.id());
  v1::Job retried;
  ASSERT_TRUE(Call(&v1::JobService::Stub::RetryJob, retry, &retried).ok());
  v1::UpdateJobRequest update;
  update.mutable_job()->set_id(job.id());
  update.mutable_job()->set_priority(7);
  (*update.mutable_job()->mutable_labels())["team"] = "rf";
  v1::Job updated;
  ASSERT_TRUE(Call(&v1::JobService::Stub::UpdateJob, update, &updated).ok());
  EXPECT_EQ(updated.priority(), 7u);
  EXPECT_EQ(updated.labels().at("team"), "rf");
  assignment = worker->TakeAssignment();
  ASSERT_NE(assignment, nullptr);
  EXPECT_EQ(assignment->ref().attempt(), 2u);
  worker->Finish(assignment->ref(), v1::Attempt::SUCCEEDED, "x");
  EXPECT_EQ(Wait(job.id()).state(), v1::Job::SUCCEEDED);
  EXPECT_EQ(Call(&v1::JobService::Stub::UpdateJob, update, &updated).error_code(),
            grpc::StatusCode::FAILED_PRECONDITION);
  ASSERT_TRUE(Call(&v1::JobService::Stub::DeleteJob, remove, &empty).ok());
  EXPECT_EQ(Call(&v1::JobService::Stub::RetryJob, retry, &retried).error_code(),
            grpc::StatusCode::NOT_FOUND);
}

TEST_F(JobServiceTest, ListsArePagedAndFiltered) {
  for (int i = 0; i < 5; ++i) {
    v1::CreateJobRequest request = Noop();
    (*request.mutable_job()->mutable_labels())["parity"] = i % 2 == 0 ? "even" : "odd";
    Create(request);
  }
  v1::ListJobsRequest request;
  request.set_page_size(2);
  request.set_filter("state = QUEUED AND kind = noop AND labels.parity = even");
  std::set<std::string> seen;
  v1::ListJobsResponse response;
  do {
    ASSERT_TRUE(Call(&v1::JobService::Stub::ListJobs, request, &response).ok());
    EXPECT_LE(response.jobs_size(), 2);
    for (const v1::Job& job : response.jobs()) EXPECT_TRUE(seen.insert(job.id()).second);
    request.set_page_token(response.next_page_token());
  } while (!response.next_page_token().empty());
  EXPECT_THAT(seen, SizeIs(3));
  request.set_page_token("forged");
  EXPECT_EQ(Call(&v1::JobService::Stub::ListJobs, request, &response).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(JobServiceTest, RunningJobsAreListedThoughTheStoreDoesNotKnow) {
  const auto worker = AttachWorker({.finish_at_once = false});
  const v1::Job job = Create(Noop());
  Create(Noop());
  const auto assignment = worker->TakeAssignment();
  ASSERT_NE(assignment, nullptr);
  worker->Start(assignment->ref());
  v1::ListJobsRequest request;
  request.set_filter("state = RUNNING");
  v1::ListJobsResponse response;
  for (int i = 0; i < 1000 && response.jobs_size() == 0; ++i) {
    ASSERT_TRUE(Call(&v1::JobService::Stub::ListJobs, request, &response).ok());
  }
  ASSERT_THAT(response.jobs(), SizeIs(1));
  EXPECT_EQ(response.jobs(0).state(), v1::Job::RUNNING);
}

TEST_F(JobServiceTest, AWatcherSeesStatesAndEventsInOrderAndCanResume) {
  const auto worker = AttachWorker({.finish_at_once = false});
  const v1::Job job = Create(Noop());
  const auto assignment = worker->TakeAssignment();
  ASSERT_NE(assignment, nullptr);
  const std::vector<v1::JobEvent> events = Watch(job.id(), "", [&] {
    worker->Start(assignment->ref());
    for (int i = 1; i <= 3; ++i) worker->SendProgress(assignment->ref(), i, i / 4.0);
    worker->Finish(assignment->ref(), v1::Attempt::SUCCEEDED, "x");
  });
  const std::vector<std::string> shape = Shape(events);
  EXPECT_EQ(shape.front(), "QUEUED");
  EXPECT_EQ(shape.back(), "SUCCEEDED");
  EXPECT_EQ(std::count(shape.begin(), shape.end(), "progress"), 3);
  EXPECT_EQ(std::count(shape.begin(), shape.end(), "gap"), 0);
  EXPECT_EQ(events.back().state().noop_result().payload(), "x");
  EXPECT_THAT(Watch(job.id(), events.back().id()), SizeIs(0));
  const std::vector<v1::JobEvent> again = Watch(job.id(), events.front().id());
  EXPECT_EQ(again.back().id(), events.back().id().substr(0, events.back().id().find('.')) + ".0.0");
}

TEST_F(JobServiceTest, AWatchOfAnEndedJobReplaysItsStates) {
  const auto worker = AttachWorker();
  const v1::Job job = Create(Noop());
  Wait(job.id());
  const std::vector<std::string> shape = Shape(Watch(job.id()));
  EXPECT_EQ(shape.front(), "QUEUED");
  EXPECT_EQ(shape.back(), "SUCCEEDED");
}

TEST_F(JobServiceTest, WatchResultsTellsEveryEnd) {
  grpc::ClientContext context;
  auto results = jobs().WatchResults(&context, v1::WatchResultsRequest());
  v1::WatchResultsResponse response;
  ASSERT_TRUE(results->Read(&response));
  EXPECT_THAT(response.jobs(), SizeIs(0));
  const auto worker = AttachWorker();
  v1::BatchCreateJobsRequest request;
  for (int i = 0; i < 1000; ++i) request.add_jobs()->mutable_noop()->set_payload(std::to_string(i));
  v1::BatchCreateJobsResponse created;
  ASSERT_TRUE(Call(&v1::JobService::Stub::BatchCreateJobs, request, &created).ok());
  std::set<std::string> ended;
  while (ended.size() < 1000 && results->Read(&response)) {
    for (const v1::Job& job : response.jobs()) {
      EXPECT_EQ(job.state(), v1::Job::SUCCEEDED);
      EXPECT_TRUE(ended.insert(job.id()).second);
    }
  }
  EXPECT_EQ(ended, std::set<std::string>(created.ids().begin(), created.ids().end()));
  context.TryCancel();
  results->Finish();
}

TEST_F(JobServiceTest, AWaitEndsWithItsTime) {
  const v1::Job job = Create(Noop());
  v1::WaitJobRequest request;
  request.set_job(job.id());
  request.mutable_timeout()->set_nanos(1'000'000);
  v1::Job waited;
  ASSERT_TRUE(Call(&v1::JobService::Stub::WaitJob, request, &waited).ok());
  EXPECT_EQ(waited.state(), v1::Job::QUEUED);
}

TEST_F(JobServiceTest, ADeadlineIsHonoured) {
  const v1::Job job = Create(Noop());
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(50));
  v1::WaitJobRequest request;
  request.set_job(job.id());
  v1::Job waited;
  EXPECT_EQ(jobs().WaitJob(&context, request, &waited).error_code(),
            grpc::StatusCode::DEADLINE_EXCEEDED);
}

TEST_F(JobServiceTest, ARestartContinuesInTheSameFolder) {
  const v1::Job job = Create(Noop("kept"));
  v1::CreateJobRequest request = Noop("once");
  request.set_request_id("before the restart");
  const v1::Job once = Create(request);
  StopScheduler();
  StartScheduler();
  EXPECT_EQ(Get(job.id()).state(), v1::Job::QUEUED);
  EXPECT_EQ(Create(request).id(), once.id());
  const auto worker = AttachWorker();
  EXPECT_EQ(Wait(job.id()).noop_result().payload(), "kept");
}

}  // namespace
}  // namespace switchyard::scheduler
