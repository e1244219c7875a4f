#include "scheduler/service/testing/scheduler_fixture.h"

#include <stdlib.h>

#include <filesystem>

namespace switchyard::scheduler {

SchedulerFixture::SchedulerFixture() {
  std::string pattern = (std::filesystem::temp_directory_path() / "scheduler-test-XXXXXX").string();
  directory_ = mkdtemp(pattern.data());
  config_.set_data_dir(directory_ + "/data");
  config_.set_listen("127.0.0.1:0");
  config_.set_worker_listen("127.0.0.1:0");
  config_.set_allow_noop(true);
}

SchedulerFixture::~SchedulerFixture() {
  server_.reset();
  std::filesystem::remove_all(directory_);
}

void SchedulerFixture::StartScheduler() {
  absl::StatusOr<std::unique_ptr<Server>> server = Server::Start(config_, SystemClock());
  ASSERT_TRUE(server.ok()) << server.status();
  server_ = std::move(*server);
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  channel_ =
      grpc::CreateCustomChannel(Address("client"), grpc::InsecureChannelCredentials(), arguments);
  jobs_ = v1::JobService::NewStub(channel_);
  fleet_ = v1::FleetService::NewStub(channel_);
  models_ = v1::ModelService::NewStub(channel_);
  artifacts_ = worker::v1::ArtifactReferenceService::NewStub(channel_);
}

std::string SchedulerFixture::Address(const std::string& name) const {
  for (const auto& [known, address] : server_->addresses()) {
    if (known == name) return address;
  }
  return "";
}

v1::CreateJobRequest SchedulerFixture::Noop(const std::string& payload) {
  v1::CreateJobRequest request;
  request.mutable_job()->mutable_noop()->set_payload(payload);
  return request;
}

v1::Job SchedulerFixture::Create(const v1::CreateJobRequest& request) {
  grpc::ClientContext context;
  v1::Job job;
  const grpc::Status status = jobs_->CreateJob(&context, request, &job);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return job;
}

v1::Job SchedulerFixture::Get(const std::string& id) {
  grpc::ClientContext context;
  v1::GetJobRequest request;
  request.set_job(id);
  v1::Job job;
  const grpc::Status status = jobs_->GetJob(&context, request, &job);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return job;
}

v1::Job SchedulerFixture::Wait(const std::string& id) {
  grpc::ClientContext context;
  v1::WaitJobRequest request;
  request.set_job(id);
  request.mutable_timeout()->set_seconds(10);
  v1::Job job;
  const grpc::Status status = jobs_->WaitJob(&context, request, &job);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return job;
}

}  // namespace switchyard::scheduler
