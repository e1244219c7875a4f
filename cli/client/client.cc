#include "cli/client/client.h"

#include <sys/random.h>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/net/address.h"
#include "common/rpc/status.h"
#include "grpcpp/grpcpp.h"
#include "switchyard/v1/admin_service.grpc.pb.h"
#include "switchyard/v1/array_service.grpc.pb.h"
#include "switchyard/v1/artifact_catalog_service.grpc.pb.h"
#include "switchyard/v1/fleet_service.grpc.pb.h"
#include "switchyard/v1/job_service.grpc.pb.h"
#include "switchyard/v1/model_service.grpc.pb.h"
#include "switchyard/v1/pipeline_service.grpc.pb.h"
#include "switchyard/v1/schedule_service.grpc.pb.h"

namespace switchyard::cli {
namespace {

constexpr absl::Duration kDeadline = absl::Seconds(30);
constexpr int kMaxMessageBytes = 64 << 20;

std::shared_ptr<grpc::Channel> Connect(const std::string& server) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxMessageBytes);
  arguments.SetMaxSendMessageSize(kMaxMessageBytes);
  return grpc::CreateCustomChannel(server, grpc::InsecureChannelCredentials(), arguments);
}

bool IsLoopbackServer(const std::string& server) {
  const absl::StatusOr<Address> address = ParseAddress(server);
  return address.ok() && IsLoopback(*address);
}

}  // namespace

struct Client::Stubs {
  std::unique_ptr<v1::JobService::Stub> jobs;
  std::unique_ptr<v1::PipelineService::Stub> pipelines;
  std::unique_ptr<v1::ArrayService::Stub> arrays;
  std::unique_ptr<v1::ScheduleService::Stub> schedules;
  std::unique_ptr<v1::ModelService::Stub> models;
  std::unique_ptr<v1::FleetService::Stub> fleet;
  std::unique_ptr<v1::ArtifactService::Stub> artifacts;
  std::unique_ptr<v1::ArtifactCatalogService::Stub> catalog;
  std::unique_ptr<v1::AdminService::Stub> admin;
  std::string token;

  void Prepare(grpc::ClientContext& context, absl::Duration deadline) const {
    if (!token.empty()) context.AddMetadata("authorization", "Bearer " + token);
    if (deadline != absl::InfiniteDuration()) {
      context.set_deadline(std::chrono::system_clock::now() + absl::ToChronoMilliseconds(deadline));
    }
  }

  template <typename Stub, typename Request, typename Response>
  absl::StatusOr<Response> Call(const std::unique_ptr<Stub>& stub,
                                grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                             Response*),
                                const Request& request, absl::Duration deadline = kDeadline) const {
    grpc::ClientContext context;
    Prepare(context, deadline);
    Response response;
    const grpc::Status status = (stub.get()->*method)(&context, request, &response);
    if (!status.ok()) return FromGrpc(status);
    return response;
  }
};

Client::Client(const std::string& server, const std::string& token)
    : stubs_(std::make_unique<Stubs>()) {
  const auto channel = Connect(server);
  stubs_->jobs = v1::JobService::NewStub(channel);
  stubs_->pipelines = v1::PipelineService::NewStub(channel);
  stubs_->arrays = v1::ArrayService::NewStub(channel);
  stubs_->schedules = v1::ScheduleService::NewStub(channel);
  stubs_->models = v1::ModelService::NewStub(channel);
  stubs_->fleet = v1::FleetService::NewStub(channel);
  stubs_->artifacts = v1::ArtifactService::NewStub(channel);
  stubs_->catalog = v1::ArtifactCatalogService::NewStub(channel);
  stubs_->admin = v1::AdminService::NewStub(channel);
  if (IsLoopbackServer(server)) stubs_->token = token;
}

Client::~Client() = default;

absl::StatusOr<v1::Job> Client::CreateJob(const v1::CreateJobRequest& request) {
  return stubs_->Call(stubs_->jobs, &v1::JobService::Stub::CreateJob, request);
}

absl::StatusOr<v1::BatchCreateJobsResponse> Client::BatchCreateJobs(
    const v1::BatchCreateJobsRequest& request) {
  return stubs_->Call(stubs_->jobs, &v1::JobService::Stub::BatchCreateJobs, request);
}

absl::StatusOr<v1::Job> Client::GetJob(const std::string& id) {
  v1::GetJobRequest request;
  request.set_job(id);
  return stubs_->Call(stubs_->jobs, &v1::JobService::Stub::GetJob, request);
}

absl::StatusOr<v1::ListJobsResponse> Client::ListJobs(const v1::ListJobsRequest& request) {
  return stubs_->Call(stubs_->jobs, &v1::JobService::Stub::ListJobs, request);
}

absl::StatusOr<v1::Job> Client::CancelJob(const std::string& id) {
  v1::CancelJobRequest request;
  request.set_job(id);
  request.set_request_id(NewRequestId());
  return stubs_->Call(stubs_->jobs, &v1::JobService::Stub::CancelJob, request);
}

absl::StatusOr<v1::Job> Client::StopJob(const std::string& id) {
  v1::StopJobRequest request;
  request.set_job(id);
  request.set_request_id(NewRequestId());
  return stubs_->Call(stubs_->jobs, &v1::JobService::Stub::StopJob, request);
}

absl::StatusOr<v1::Job> Client::RetryJob(const std::string& id) {
  v1::RetryJobRequest request;
  request.set_job(id);
  request.set_request_id(NewRequestId());
  return stubs_->Call(stubs_->jobs, &v1::JobService::Stub::RetryJob, request);
}

absl::Status Client::DeleteJob(const std::string& id) {
  v1::DeleteJobRequest request;
  request.set_job(id);
  request.set_request_id(NewRequestId());
  return stubs_->Call(stubs_->jobs, &v1::JobService::Stub::DeleteJob, request).status();
}

absl::StatusOr<v1::Explanation> Client::ExplainJob(const std::string& id) {
  v1::ExplainJobRequest request;
  request.set_job(id);
  return stubs_->Call(stubs_->jobs, &v1::JobService::Stub::ExplainJob, request);
}

absl::StatusOr<v1::BatchRetryJobsResponse> Client::BatchRetryJobs(
    const v1::BatchRetryJobsRequest& request) {
  return stubs_->Call(stubs_->jobs, &v1::JobService::Stub::BatchRetryJobs, request);
}

absl::StatusOr<v1::BatchDiscardJobsResponse> Client::BatchDiscardJobs(
    const v1::BatchDiscardJobsRequest& request) {
  return stubs_->Call(stubs_->jobs, &v1::JobService::Stub::BatchDiscardJobs, request);
}

absl::StatusOr<v1::Job> Client::WaitJob(const std::string& id, absl::Duration timeout) {
  v1::WaitJobRequest request;
  request.set_job(id);
  request.mutable_timeout()->set_seconds(absl::ToInt64Seconds(timeout));
  request.mutable_timeout()->set_nanos(
      static_cast<int32_t>(absl::ToInt64Nanoseconds(timeout % absl::Seconds(1))));
  return stubs_->Call(stubs_->jobs, &v1::JobService::Stub::WaitJob, request, timeout + kDeadline);
}

absl::Status Client::WatchJob(const v1::WatchJobRequest& request,
                              const std::function<bool(const v1::JobEvent&)>& on_event,
                              absl::Duration longest) {
  grpc::ClientContext context;
  stubs_->Prepare(context, longest);
  const auto stream = stubs_->jobs->WatchJob(&context, request);
  v1::JobEvent event;
  while (stream->Read(&event)) {
    if (on_event(event)) continue;
    context.TryCancel();
    stream->Finish();
    return absl::OkStatus();
  }
  return FromGrpc(stream->Finish());
}

absl::StatusOr<v1::Pipeline> Client::CreatePipeline(const v1::CreatePipelineRequest& request) {
  return stubs_->Call(stubs_->pipelines, &v1::PipelineService::Stub::CreatePipeline, request);
}

absl::StatusOr<v1::Pipeline> Client::GetPipeline(const std::string& id) {
  v1::GetPipelineRequest request;
  request.set_pipeline(id);
  return stubs_->Call(stubs_->pipelines, &v1::PipelineService::Stub::GetPipeline, request);
}

absl::StatusOr<v1::ListPipelinesResponse> Client::ListPipelines(
    const v1::ListPipelinesRequest& request) {
  return stubs_->Call(stubs_->pipelines, &v1::PipelineService::Stub::ListPipelines, request);
}

absl::StatusOr<v1::Pipeline> Client::WaitPipeline(const std::string& id, absl::Duration timeout) {
  v1::WaitPipelineRequest request;
  request.set_pipeline(id);
  request.mutable_timeout()->set_seconds(absl::ToInt64Seconds(timeout));
  return stubs_->Call(stubs_->pipelines, &v1::PipelineService::Stub::WaitPipeline, request,
                      timeout + kDeadline);
}

absl::StatusOr<v1::Pipeline> Client::CancelPipeline(const std::string& id) {
  v1::CancelPipelineRequest request;
  request.set_pipeline(id);
  request.set_request_id(NewRequestId());
  return stubs_->Call(stubs_->pipelines, &v1::PipelineService::Stub::CancelPipeline, request);
}

absl::StatusOr<v1::Pipeline> Client::ResumePipeline(const std::string& id) {
  v1::ResumePipelineRequest request;
  request.set_pipeline(id);
  request.set_request_id(NewRequestId());
  return stubs_->Call(stubs_->pipelines, &v1::PipelineService::Stub::ResumePipeline, request);
}

absl::Status Client::DeletePipeline(const std::string& id) {
  v1::DeletePipelineRequest request;
  request.set_pipeline(id);
  request.set_request_id(NewRequestId());
  return stubs_->Call(stubs_->pipelines, &v1::PipelineService::Stub::DeletePipeline, request)
      .status();
}

absl::StatusOr<v1::Array> Client::CreateArray(const v1::CreateArrayRequest& request) {
  return stubs_->Call(stubs_->arrays, &v1::ArrayService::Stub::CreateArray, request);
}

absl::StatusOr<v1::Array> Client::GetArray(const std::string& id) {
  v1::GetArrayRequest request;
  request.set_array(id);
  return stubs_->Call(stubs_->arrays, &v1::ArrayService::Stub::GetArray, request);
}

absl::StatusOr<v1::ListArraysResponse> Client::ListArrays(const v1::ListArraysRequest& request) {
  return stubs_->Call(stubs_->arrays, &v1::ArrayService::Stub::ListArrays, request);
}

absl::StatusOr<v1::Array> Client::WaitArray(const std::string& id, absl::Duration timeout) {
  v1::WaitArrayRequest request;
  request.set_array(id);
  request.mutable_timeout()->set_seconds(absl::ToInt64Seconds(timeout));
  return stubs_->Call(stubs_->arrays, &v1::ArrayService::Stub::WaitArray, request,
                      timeout + kDeadline);
}

absl::StatusOr<v1::Array> Client::UpdateArray(const std::string& id, uint32_t width) {
  v1::UpdateArrayRequest request;
  request.mutable_array()->set_id(id);
  request.mutable_array()->set_width(width);
  request.mutable_update_mask()->add_paths("width");
  request.set_request_id(NewRequestId());
  return stubs_->Call(stubs_->arrays, &v1::ArrayService::Stub::UpdateArray, request);
}

absl::StatusOr<v1::Array> Client::CancelArray(const std::string& id) {
  v1::CancelArrayRequest request;
  request.set_array(id);
  request.set_request_id(NewRequestId());
  return stubs_->Call(stubs_->arrays, &v1::ArrayService::Stub::CancelArray, request);
}

absl::StatusOr<v1::Schedule> Client::CreateSchedule(const v1::CreateScheduleRequest& request) {
  return stubs_->Call(stubs_->schedules, &v1::ScheduleService::Stub::CreateSchedule, request);
}

absl::StatusOr<v1::Schedule> Client::GetSchedule(const std::string& name) {
  v1::GetScheduleRequest request;
  request.set_schedule(name);
  return stubs_->Call(stubs_->schedules, &v1::ScheduleService::Stub::GetSchedule, request);
}

absl::StatusOr<v1::ListSchedulesResponse> Client::ListSchedules(
    const v1::ListSchedulesRequest& request) {
  return stubs_->Call(stubs_->schedules, &v1::ScheduleService::Stub::ListSchedules, request);
}

absl::StatusOr<v1::Schedule> Client::PauseSchedule(const std::string& name) {
  v1::PauseScheduleRequest request;
  request.set_schedule(name);
  request.set_request_id(NewRequestId());
  return stubs_->Call(stubs_->schedules, &v1::ScheduleService::Stub::PauseSchedule, request);
}

absl::StatusOr<v1::Schedule> Client::ResumeSchedule(const std::string& name) {
  v1::ResumeScheduleRequest request;
  request.set_schedule(name);
  request.set_request_id(NewRequestId());
  return stubs_->Call(stubs_->schedules, &v1::ScheduleService::Stub::ResumeSchedule, request);
}

absl::Status Client::DeleteSchedule(const std::string& name) {
  v1::DeleteScheduleRequest request;
  request.set_schedule(name);
  request.set_request_id(NewRequestId());
  return stubs_->Call(stubs_->schedules, &v1::ScheduleService::Stub::DeleteSchedule, request)
      .status();
}

absl::StatusOr<v1::ListModelsResponse> Client::ListModels(const v1::ListModelsRequest& request) {
  return stubs_->Call(stubs_->models, &v1::ModelService::Stub::ListModels, request);
}

absl::StatusOr<v1::ModelVersion> Client::GetModel(const v1::GetModelRequest& request) {
  return stubs_->Call(stubs_->models, &v1::ModelService::Stub::GetModel, request);
}

absl::StatusOr<v1::ListDevicesResponse> Client::ListDevices() {
  return stubs_->Call(stubs_->fleet, &v1::FleetService::Stub::ListDevices,
                      v1::ListDevicesRequest());
}

absl::StatusOr<v1::ListWorkersResponse> Client::ListWorkers() {
  return stubs_->Call(stubs_->fleet, &v1::FleetService::Stub::ListWorkers,
                      v1::ListWorkersRequest());
}

absl::StatusOr<v1::ListSchedulersResponse> Client::ListSchedulers() {
  return stubs_->Call(stubs_->fleet, &v1::FleetService::Stub::ListSchedulers,
                      v1::ListSchedulersRequest());
}

absl::StatusOr<v1::Queue> Client::GetQueue() {
  return stubs_->Call(stubs_->fleet, &v1::FleetService::Stub::GetQueue, v1::GetQueueRequest());
}

absl::StatusOr<v1::Limits> Client::GetLimits() {
  return stubs_->Call(stubs_->fleet, &v1::FleetService::Stub::GetLimits, v1::GetLimitsRequest());
}

absl::StatusOr<v1::Limits> Client::UpdateLimits(const v1::UpdateLimitsRequest& request) {
  return stubs_->Call(stubs_->fleet, &v1::FleetService::Stub::UpdateLimits, request);
}

absl::StatusOr<v1::ListTenantsResponse> Client::ListTenants() {
  return stubs_->Call(stubs_->admin, &v1::AdminService::Stub::ListTenants,
                      v1::ListTenantsRequest());
}

absl::StatusOr<v1::Tenant> Client::UpdateTenant(const v1::UpdateTenantRequest& request) {
  return stubs_->Call(stubs_->admin, &v1::AdminService::Stub::UpdateTenant, request);
}

absl::StatusOr<v1::ListKeysResponse> Client::ListKeys() {
  return stubs_->Call(stubs_->admin, &v1::AdminService::Stub::ListKeys, v1::ListKeysRequest());
}

absl::StatusOr<v1::Key> Client::UpdateKey(const v1::UpdateKeyRequest& request) {
  return stubs_->Call(stubs_->admin, &v1::AdminService::Stub::UpdateKey, request);
}

absl::StatusOr<v1::ListPausesResponse> Client::PauseQueue(const v1::PauseQueueRequest& request) {
  return stubs_->Call(stubs_->admin, &v1::AdminService::Stub::PauseQueue, request);
}

absl::StatusOr<v1::ListPausesResponse> Client::ResumeQueue(const v1::ResumeQueueRequest& request) {
  return stubs_->Call(stubs_->admin, &v1::AdminService::Stub::ResumeQueue, request);
}

absl::StatusOr<v1::ListPausesResponse> Client::ListPauses() {
  return stubs_->Call(stubs_->admin, &v1::AdminService::Stub::ListPauses, v1::ListPausesRequest());
}

absl::StatusOr<v1::Worker> Client::CordonWorker(const std::string& worker) {
  v1::CordonWorkerRequest request;
  request.set_worker(worker);
  request.set_request_id(NewRequestId());
  return stubs_->Call(stubs_->admin, &v1::AdminService::Stub::CordonWorker, request);
}

absl::StatusOr<v1::Worker> Client::UncordonWorker(const std::string& worker) {
  v1::UncordonWorkerRequest request;
  request.set_worker(worker);
  request.set_request_id(NewRequestId());
  return stubs_->Call(stubs_->admin, &v1::AdminService::Stub::UncordonWorker, request);
}

absl::StatusOr<v1::Worker> Client::DrainWorker(const std::string& worker, absl::Duration timeout) {
  v1::DrainWorkerRequest request;
  request.set_worker(worker);
  request.mutable_timeout()->set_seconds(absl::ToInt64Seconds(timeout));
  request.set_request_id(NewRequestId());
  return stubs_->Call(stubs_->admin, &v1::AdminService::Stub::DrainWorker, request);
}

ArtifactTransfer Client::Transfer() {
  return ArtifactTransfer(
      *stubs_->artifacts,
      [this](grpc::ClientContext& context) { stubs_->Prepare(context, absl::InfiniteDuration()); },
      [](absl::Duration pause) { absl::SleepFor(pause); });
}

absl::StatusOr<v1::Artifact> Client::PutArtifact(const std::string& file, const std::string& sha256,
                                                 const std::string& media_type,
                                                 const std::function<void(int64_t)>& on_progress) {
  return Transfer().Put(file, sha256, media_type, on_progress);
}

absl::Status Client::GetArtifact(
    const std::string& sha256,
    const std::function<absl::Status(const v1::GetArtifactResponse&)>& on_piece) {
  return Transfer().Get(sha256, on_piece);
}

absl::StatusOr<v1::ListArtifactsResponse> Client::ListArtifacts(
    const v1::ListArtifactsRequest& request) {
  return stubs_->Call(stubs_->catalog, &v1::ArtifactCatalogService::Stub::ListArtifacts, request);
}

absl::Status Client::DeleteArtifact(const std::string& sha256) {
  v1::DeleteArtifactRequest request;
  request.set_sha256(sha256);
  request.set_request_id(NewRequestId());
  return stubs_->Call(stubs_->catalog, &v1::ArtifactCatalogService::Stub::DeleteArtifact, request)
      .status();
}

std::string NewRequestId() {
  char bytes[16];
  if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes) return "";
  return absl::BytesToHexString(absl::string_view(bytes, sizeof bytes));
}

}  // namespace switchyard::cli
