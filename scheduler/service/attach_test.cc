// WorkerService.Attach and what hangs on it, over real gRPC.
#include <string>

#include "gmock/gmock.h"
#include "scheduler/service/testing/scheduler_fixture.h"

namespace switchyard::scheduler {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

using AttachTest = SchedulerFixture;

TEST_F(AttachTest, TheWelcomeTellsLeaseAndLimits) {
  config().mutable_lease()->set_seconds(12);
  StartScheduler();
  const auto worker = AttachWorker();
  EXPECT_EQ(worker->welcome().lease().seconds(), 12);
  EXPECT_EQ(worker->welcome().heartbeat_interval().seconds(), 2);
  EXPECT_FALSE(worker->welcome().limits().empty());
}

TEST_F(AttachTest, ASecondAttachEndsTheFirst) {
  StartScheduler();
  const auto first = AttachWorker();
  const auto second = AttachWorker();
  EXPECT_EQ(first->WaitForEnd().error_code(), grpc::StatusCode::ABORTED);
  const v1::Job job = Create(Noop());
  EXPECT_EQ(Wait(job.id()).state(), v1::Job::SUCCEEDED);
  EXPECT_EQ(second->finished(), 1u);
}

TEST_F(AttachTest, AWorkerThatComesBackGoesOnWithItsAttempt) {
  StartScheduler();
  auto worker = AttachWorker({.finish_at_once = false});
  const v1::Job job = Create(Noop());
  const auto assignment = worker->TakeAssignment();
  ASSERT_NE(assignment, nullptr);
  worker->Start(assignment->ref());
  worker.reset();
  worker::v1::AttemptReport report;
  *report.mutable_ref() = assignment->ref();
  report.mutable_started()->set_device("cpu");
  worker = AttachWorker({.finish_at_once = false, .attempts = {report}});
  ASSERT_THAT(worker->welcome().keep(), SizeIs(1));
  EXPECT_EQ(Get(job.id()).state(), v1::Job::RUNNING);
  worker->Finish(assignment->ref(), v1::Attempt::SUCCEEDED, "x");
  EXPECT_EQ(Wait(job.id()).state(), v1::Job::SUCCEEDED);
}

TEST_F(AttachTest, ALostWorkersJobRunsElsewhereAfterItsLease) {
  config().mutable_lease()->set_seconds(1);
  StartScheduler();
  auto lost = AttachWorker({.id = "lost", .finish_at_once = false});
  const v1::Job job = Create(Noop());
  const auto assignment = lost->TakeAssignment();
  ASSERT_NE(assignment, nullptr);
  lost->Start(assignment->ref());
  lost.reset();
  const auto other = AttachWorker({.id = "other"});
  const v1::Job done = Wait(job.id());
  EXPECT_EQ(done.state(), v1::Job::SUCCEEDED);
  ASSERT_THAT(done.attempts(), SizeIs(2));
  EXPECT_EQ(done.attempts(0).outcome(), v1::Attempt::WORKER_LOST);
  EXPECT_EQ(done.attempts(1).worker(), "other");
}

TEST_F(AttachTest, TheFirstMessageMustBeAHello) {
  StartScheduler();
  const auto stub = worker::v1::WorkerService::NewStub(
      grpc::CreateChannel(Address("worker"), grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  const auto stream = stub->Attach(&context);
  worker::v1::WorkerMessage message;
  message.mutable_delta()->mutable_heartbeat()->set_sequence(1);
  stream->Write(message);
  worker::v1::SchedulerMessage answer;
  EXPECT_FALSE(stream->Read(&answer));
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(AttachTest, TheFleetShowsTheWorker) {
  StartScheduler();
  const auto worker = AttachWorker();
  v1::ListDevicesResponse devices;
  for (int i = 0; i < 1000 && devices.devices_size() == 0; ++i) {
    grpc::ClientContext context;
    ASSERT_TRUE(fleet().ListDevices(&context, v1::ListDevicesRequest(), &devices).ok());
  }
  ASSERT_THAT(devices.devices(), SizeIs(1));
  EXPECT_EQ(devices.devices(0).worker(), "worker-1");
  EXPECT_EQ(devices.devices(0).cores(), 2u);
}

TEST_F(AttachTest, ADeviceThatDoesNotExistIsRefusedWithTheListOfThoseThatDo) {
  StartScheduler();
  const auto worker = AttachWorker();
  v1::CreateJobRequest request = Noop();
  request.mutable_job()->set_device("cuda:3");
  grpc::ClientContext context;
  v1::Job job;
  const grpc::Status status = jobs().CreateJob(&context, request, &job);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(status.error_message(), HasSubstr("cuda:3"));
  EXPECT_THAT(status.error_message(), HasSubstr("cpu"));
}

TEST_F(AttachTest, AChangedLimitIsInForceAndKept) {
  StartScheduler();
  v1::UpdateLimitsRequest request;
  v1::Limit& limit = *request.mutable_limits()->add_limits();
  limit.set_job_class(v1::INFERENCE);
  limit.set_max_running(0);
  v1::Limits limits;
  {
    grpc::ClientContext context;
    ASSERT_TRUE(fleet().UpdateLimits(&context, request, &limits).ok());
  }
  ASSERT_THAT(limits.limits(), SizeIs(1));
  StopScheduler();
  StartScheduler();
  grpc::ClientContext context;
  v1::Limits kept;
  ASSERT_TRUE(fleet().GetLimits(&context, v1::GetLimitsRequest(), &kept).ok());
  ASSERT_THAT(kept.limits(), SizeIs(1));
  EXPECT_EQ(kept.limits(0).max_running(), 0u);
}

TEST_F(AttachTest, AnArtifactIsReadableThroughItsReferenceOnly) {
  StartScheduler();
  const std::string sha256(64, 'a');
  worker::v1::LookupArtifactRequest lookup;
  lookup.set_sha256(sha256);
  v1::Artifact artifact;
  {
    grpc::ClientContext context;
    EXPECT_EQ(artifacts().LookupArtifact(&context, lookup, &artifact).error_code(),
              grpc::StatusCode::NOT_FOUND);
  }
  worker::v1::RecordArtifactRequest record;
  record.mutable_artifact()->set_sha256(sha256);
  record.mutable_artifact()->set_size_bytes(7);
  {
    grpc::ClientContext context;
    ASSERT_TRUE(artifacts().RecordArtifact(&context, record, &artifact).ok());
  }
  grpc::ClientContext context;
  ASSERT_TRUE(artifacts().LookupArtifact(&context, lookup, &artifact).ok());
  EXPECT_EQ(artifact.size_bytes(), 7);
  EXPECT_EQ(artifact.media_type(), "application/octet-stream");
}

}  // namespace
}  // namespace switchyard::scheduler
