// The service as the command line sees it: an ordinary gRPC client of the gateway, one method per
// call. It keeps gRPC's headers out of the commands.
//
// Thread-safe. Every method blocks; unary calls have a deadline of 30 s unless said otherwise.
// Errors carry the service's details.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cli/client/artifact_transfer.h"
#include "switchyard/v1/admin_service.pb.h"
#include "switchyard/v1/array_service.pb.h"
#include "switchyard/v1/artifact_catalog_service.pb.h"
#include "switchyard/v1/artifact_service.pb.h"
#include "switchyard/v1/event.pb.h"
#include "switchyard/v1/fleet_service.pb.h"
#include "switchyard/v1/job_service.pb.h"
#include "switchyard/v1/model_service.pb.h"
#include "switchyard/v1/pipeline_service.pb.h"
#include "switchyard/v1/schedule_service.pb.h"

namespace switchyard::cli {

class Client {
 public:
  // `token` (may be empty) is sent as a bearer token, and only to loopback servers: the connection
  // is not encrypted.
  Client(const std::string& server, const std::string& token);
  ~Client();

  absl::StatusOr<v1::Job> CreateJob(const v1::CreateJobRequest& request);
  absl::StatusOr<v1::BatchCreateJobsResponse> BatchCreateJobs(
      const v1::BatchCreateJobsRequest& request);
  absl::StatusOr<v1::Job> GetJob(const std::string& id);
  absl::StatusOr<v1::ListJobsResponse> ListJobs(const v1::ListJobsRequest& request);
  absl::StatusOr<v1::Job> CancelJob(const std::string& id);
  absl::StatusOr<v1::Job> StopJob(const std::string& id);
  absl::StatusOr<v1::Job> RetryJob(const std::string& id);
  absl::Status DeleteJob(const std::string& id);
  absl::StatusOr<v1::Explanation> ExplainJob(const std::string& id);
  absl::StatusOr<v1::BatchRetryJobsResponse> BatchRetryJobs(
      const v1::BatchRetryJobsRequest& request);
  absl::StatusOr<v1::BatchDiscardJobsResponse> BatchDiscardJobs(
      const v1::BatchDiscardJobsRequest& request);
  // Waits at most `timeout` (up to 10 min).
  absl::StatusOr<v1::Job> WaitJob(const std::string& id, absl::Duration timeout);
  // Calls `on_event` until the stream ends or it returns false, or `longest` is over
  // (DEADLINE_EXCEEDED).
  absl::Status WatchJob(const v1::WatchJobRequest& request,
                        const std::function<bool(const v1::JobEvent&)>& on_event,
                        absl::Duration longest = absl::InfiniteDuration());

  absl::StatusOr<v1::Pipeline> CreatePipeline(const v1::CreatePipelineRequest& request);
  absl::StatusOr<v1::Pipeline> GetPipeline(const std::string& id);
  absl::StatusOr<v1::ListPipelinesResponse> ListPipelines(const v1::ListPipelinesRequest& request);
  absl::StatusOr<v1::Pipeline> WaitPipeline(const std::string& id, absl::Duration timeout);
  absl::StatusOr<v1::Pipeline> CancelPipeline(const std::string& id);
  absl::StatusOr<v1::Pipeline> ResumePipeline(const std::string& id);
  absl::Status DeletePipeline(const std::string& id);

  absl::StatusOr<v1::Array> CreateArray(const v1::CreateArrayRequest& request);
  absl::StatusOr<v1::Array> GetArray(const std::string& id);
  absl::StatusOr<v1::ListArraysResponse> ListArrays(const v1::ListArraysRequest& request);
  absl::StatusOr<v1::Array> WaitArray(const std::string& id, absl::Duration timeout);
  absl::StatusOr<v1::Array> UpdateArray(const std::string& id, uint32_t width);
  absl::StatusOr<v1::Array> CancelArray(const std::string& id);

  absl::StatusOr<v1::Schedule> CreateSchedule(const v1::CreateScheduleRequest& request);
  absl::StatusOr<v1::Schedule> GetSchedule(const std::string& name);
  absl::StatusOr<v1::ListSchedulesResponse> ListSchedules(const v1::ListSchedulesRequest& request);
  absl::StatusOr<v1::Schedule> PauseSchedule(const std::string& name);
  absl::StatusOr<v1::Schedule> ResumeSchedule(const std::string& name);
  absl::Status DeleteSchedule(const std::string& name);

  absl::StatusOr<v1::ListModelsResponse> ListModels(const v1::ListModelsRequest& request);
  absl::StatusOr<v1::ModelVersion> GetModel(const v1::GetModelRequest& request);

  absl::StatusOr<v1::ListDevicesResponse> ListDevices();
  absl::StatusOr<v1::ListWorkersResponse> ListWorkers();
  absl::StatusOr<v1::ListSchedulersResponse> ListSchedulers();
  absl::StatusOr<v1::Queue> GetQueue();
  absl::StatusOr<v1::Limits> GetLimits();
  absl::StatusOr<v1::Limits> UpdateLimits(const v1::UpdateLimitsRequest& request);

  absl::StatusOr<v1::ListTenantsResponse> ListTenants();
  absl::StatusOr<v1::Tenant> UpdateTenant(const v1::UpdateTenantRequest& request);
  absl::StatusOr<v1::ListKeysResponse> ListKeys();
  absl::StatusOr<v1::Key> UpdateKey(const v1::UpdateKeyRequest& request);
  absl::StatusOr<v1::ListPausesResponse> PauseQueue(const v1::PauseQueueRequest& request);
  absl::StatusOr<v1::ListPausesResponse> ResumeQueue(const v1::ResumeQueueRequest& request);
  absl::StatusOr<v1::ListPausesResponse> ListPauses();
  absl::StatusOr<v1::Worker> CordonWorker(const std::string& worker);
  absl::StatusOr<v1::Worker> UncordonWorker(const std::string& worker);
  absl::StatusOr<v1::Worker> DrainWorker(const std::string& worker, absl::Duration timeout);

  // Sends the file; what is large in parts, going on with those that an earlier try has sent.
  // `on_progress` is told the bytes sent so far; may be empty. No deadline.
  absl::StatusOr<v1::Artifact> PutArtifact(const std::string& file, const std::string& sha256,
                                           const std::string& media_type,
                                           const std::function<void(int64_t)>& on_progress);
  // Gives the bytes in pieces, going on where a broken connection left off. Stops with the
  // callback's error. No deadline.
  absl::Status GetArtifact(
      const std::string& sha256,
      const std::function<absl::Status(const v1::GetArtifactResponse&)>& on_piece);
  absl::StatusOr<v1::ListArtifactsResponse> ListArtifacts(const v1::ListArtifactsRequest& request);
  absl::Status DeleteArtifact(const std::string& sha256);

 private:
  ArtifactTransfer Transfer();

  struct Stubs;
  std::unique_ptr<Stubs> stubs_;
};

// Random, for request_id: a repeat of the same call is safe.
std::string NewRequestId();

}  // namespace switchyard::cli
