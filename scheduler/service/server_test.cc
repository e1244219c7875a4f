// The scheduler as a server: health, reflection, bounds of messages, and its end.
#include <string>
#include <thread>

#include "common/rpc/status.h"
#include "gmock/gmock.h"
#include "grpcpp/generic/generic_stub.h"
#include "scheduler/service/testing/scheduler_fixture.h"

namespace switchyard::scheduler {
namespace {

using ::testing::HasSubstr;

class ServerTest : public SchedulerFixture {
 protected:
  ServerTest() { StartScheduler(); }

  // A call in bytes.
  grpc::Status Call(const std::string& method, const std::string& request, std::string* response) {
    grpc::GenericStub stub(channel());
    grpc::ClientContext context;
    grpc::CompletionQueue queue;
    const grpc::Slice slice(request);
    const auto call = stub.PrepareUnaryCall(&context, method, grpc::ByteBuffer(&slice, 1), &queue);
    call->StartCall();
    grpc::ByteBuffer answer;
    grpc::Status status;
    call->Finish(&answer, &status, this);
    void* tag;
    bool ok;
    queue.Next(&tag, &ok);
    grpc::Slice whole;
    if (status.ok() && answer.DumpToSingleSlice(&whole).ok()) {
      response->assign(reinterpret_cast<const char*>(whole.begin()), whole.size());
    }
    return status;
  }
};

TEST_F(ServerTest, SaysThatItServes) {
  std::string response;
  ASSERT_TRUE(Call("/grpc.health.v1.Health/Check", "", &response).ok());
  EXPECT_EQ(response, std::string("\x08\x01", 2));  // status: SERVING
}

TEST_F(ServerTest, ReflectionNamesThePublicServices) {
  grpc::GenericStub stub(channel());
  grpc::ClientContext context;
  grpc::CompletionQueue queue;
  void* tag;
  bool ok;
  const auto call = stub.PrepareCall(
      &context, "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", &queue);
  call->StartCall(this);
  ASSERT_TRUE(queue.Next(&tag, &ok) && ok);
  const grpc::Slice list_services("\x3a\x01*");  // ServerReflectionRequest.list_services = "*"
  call->Write(grpc::ByteBuffer(&list_services, 1), this);
  ASSERT_TRUE(queue.Next(&tag, &ok) && ok);
  grpc::ByteBuffer answer;
  call->Read(&answer, this);
  ASSERT_TRUE(queue.Next(&tag, &ok) && ok);
  grpc::Slice whole;
  ASSERT_TRUE(answer.DumpToSingleSlice(&whole).ok());
  const std::string text(reinterpret_cast<const char*>(whole.begin()), whole.size());
  for (const char* service : {"JobService", "FleetService", "ModelService"}) {
    EXPECT_THAT(text, HasSubstr(std::string("switchyard.v1.") + service));
  }
  context.TryCancel();
  grpc::Status status;
  call->Finish(&status, this);
  queue.Next(&tag, &ok);
}

TEST_F(ServerTest, ABodyThatIsNoBatchIsTheCallersError) {
  std::string response;
  const grpc::Status status =
      Call("/switchyard.v1.JobService/BatchCreateJobs", "\xff\xff\xff", &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(ServerTest, ABatchIsBoundedInJobsAndBytes) {
  v1::BatchCreateJobsRequest request;
  v1::BatchCreateJobsResponse response;
  {
    grpc::ClientContext context;
    EXPECT_THAT(jobs().BatchCreateJobs(&context, request, &response).error_message(),
                HasSubstr("1 to 10000"));
  }
  for (int i = 0; i < 10'001; ++i) request.add_jobs()->mutable_noop();
  {
    grpc::ClientContext context;
    EXPECT_THAT(jobs().BatchCreateJobs(&context, request, &response).error_message(),
                HasSubstr("10001"));
  }
  request.Clear();
  for (int i = 0; i < 300; ++i)
    request.add_jobs()->mutable_noop()->set_payload(std::string(60'000, 'x'));
  grpc::ClientContext context;
  EXPECT_THAT(jobs().BatchCreateJobs(&context, request, &response).error_message(),
              HasSubstr("16777216 bytes"));
}

TEST_F(ServerTest, ManyFaultsStillFitTheTrailers) {
  v1::BatchCreateJobsRequest request;
  for (int i = 0; i < 10'000; ++i) request.add_jobs();
  v1::BatchCreateJobsResponse response;
  grpc::ClientContext context;
  const grpc::Status status = jobs().BatchCreateJobs(&context, request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("jobs[0]"));
}

TEST_F(ServerTest, ASecondSchedulerIsKeptOutOfTheFolder) {
  const absl::StatusOr<std::unique_ptr<Server>> second = Server::Start(config(), SystemClock());
  EXPECT_EQ(second.status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(ServerTest, AnEndWithOpenStreamsDoesNotHang) {
  const auto worker = AttachWorker({.finish_at_once = false});
  const v1::Job job = Create(Noop());
  grpc::ClientContext results_context;
  const auto results = jobs().WatchResults(&results_context, v1::WatchResultsRequest());
  grpc::ClientContext watch_context;
  v1::WatchJobRequest request;
  request.set_job(job.id());
  const auto watch = jobs().WatchJob(&watch_context, request);
  v1::JobEvent event;
  ASSERT_TRUE(watch->Read(&event));
  StopScheduler();
  while (watch->Read(&event)) {
  }
  EXPECT_FALSE(watch->Finish().ok());
  EXPECT_FALSE(worker->WaitForEnd().ok());
}

TEST_F(ServerTest, AWatcherThatLeavesDisturbsNobody) {
  const auto worker = AttachWorker({.finish_at_once = false});
  const v1::Job job = Create(Noop());
  v1::WatchJobRequest request;
  request.set_job(job.id());
  for (int i = 0; i < 20; ++i) {
    grpc::ClientContext context;
    const auto watch = jobs().WatchJob(&context, request);
    v1::JobEvent event;
    ASSERT_TRUE(watch->Read(&event));
    context.TryCancel();
    watch->Finish();
  }
  const auto assignment = worker->TakeAssignment();
  ASSERT_NE(assignment, nullptr);
  for (int i = 1; i <= 20; ++i) worker->SendProgress(assignment->ref(), i, i / 20.0);
  worker->Finish(assignment->ref(), v1::Attempt::SUCCEEDED, "x");
  EXPECT_EQ(Wait(job.id()).state(), v1::Job::SUCCEEDED);
}

}  // namespace
}  // namespace switchyard::scheduler
