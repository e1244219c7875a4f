// switchyard.v1.JobService over gRPC's callback API: one file per method. Nothing here blocks:
// writes are posted to the engine and finished from its answer; reads run on the reader pool.
//
// Thread-safe. The backend outlives it; it outlives its server.
#pragma once

#include "grpcpp/grpcpp.h"
#include "scheduler/service/backend.h"
#include "switchyard/v1/job_service.grpc.pb.h"

namespace switchyard::scheduler {

// BatchCreateJobs and WatchResults are bytes here: a batch is parsed straight into the form it is
// checked in, and results are put together from pieces.
using JobServiceBase = v1::JobService::WithRawCallbackMethod_BatchCreateJobs<
    v1::JobService::WithRawCallbackMethod_WatchResults<v1::JobService::CallbackService>>;

class JobService final : public JobServiceBase {
 public:
  explicit JobService(const Backend& backend) : backend_(backend) {}

  grpc::ServerUnaryReactor* CreateJob(grpc::CallbackServerContext*, const v1::CreateJobRequest*,
                                      v1::Job*) override;
  grpc::ServerUnaryReactor* BatchCreateJobs(grpc::CallbackServerContext*, const grpc::ByteBuffer*,
                                            grpc::ByteBuffer*) override;
  grpc::ServerUnaryReactor* GetJob(grpc::CallbackServerContext*, const v1::GetJobRequest*,
                                   v1::Job*) override;
  grpc::ServerUnaryReactor* ListJobs(grpc::CallbackServerContext*, const v1::ListJobsRequest*,
                                     v1::ListJobsResponse*) override;
  grpc::ServerUnaryReactor* UpdateJob(grpc::CallbackServerContext*, const v1::UpdateJobRequest*,
                                      v1::Job*) override;
  grpc::ServerUnaryReactor* DeleteJob(grpc::CallbackServerContext*, const v1::DeleteJobRequest*,
                                      google::protobuf::Empty*) override;
  grpc::ServerUnaryReactor* CancelJob(grpc::CallbackServerContext*, const v1::CancelJobRequest*,
                                      v1::Job*) override;
  grpc::ServerUnaryReactor* StopJob(grpc::CallbackServerContext*, const v1::StopJobRequest*,
                                    v1::Job*) override;
  grpc::ServerUnaryReactor* RetryJob(grpc::CallbackServerContext*, const v1::RetryJobRequest*,
                                     v1::Job*) override;
  grpc::ServerUnaryReactor* ExplainJob(grpc::CallbackServerContext*, const v1::ExplainJobRequest*,
                                       v1::Explanation*) override;
  grpc::ServerUnaryReactor* BatchRetryJobs(grpc::CallbackServerContext*,
                                           const v1::BatchRetryJobsRequest*,
                                           v1::BatchRetryJobsResponse*) override;
  grpc::ServerUnaryReactor* BatchDiscardJobs(grpc::CallbackServerContext*,
                                             const v1::BatchDiscardJobsRequest*,
                                             v1::BatchDiscardJobsResponse*) override;
  grpc::ServerUnaryReactor* WaitJob(grpc::CallbackServerContext*, const v1::WaitJobRequest*,
                                    v1::Job*) override;
  grpc::ServerWriteReactor<v1::JobEvent>* WatchJob(grpc::CallbackServerContext*,
                                                   const v1::WatchJobRequest*) override;
  grpc::ServerWriteReactor<grpc::ByteBuffer>* WatchResults(grpc::CallbackServerContext*,
                                                           const grpc::ByteBuffer*) override;

 private:
  const Backend& backend_;
};

}  // namespace switchyard::scheduler
