// switchyard.v1.PipelineService over gRPC's callback API. Nothing here blocks: reads and checks run
// on the reader pool, writes are posted to the engine.
//
// Thread-safe. Backend and keeper outlive it; it outlives its server.
#pragma once

#include "grpcpp/grpcpp.h"
#include "scheduler/service/backend.h"
#include "scheduler/service/pipeline_keeper.h"
#include "switchyard/v1/pipeline_service.grpc.pb.h"

namespace switchyard::scheduler {

class PipelineService final : public v1::PipelineService::CallbackService {
 public:
  PipelineService(const Backend& backend, PipelineKeeper& keeper)
      : backend_(backend), keeper_(keeper) {}

  grpc::ServerUnaryReactor* CreatePipeline(grpc::CallbackServerContext*,
                                           const v1::CreatePipelineRequest*,
                                           v1::Pipeline*) override;
  grpc::ServerUnaryReactor* GetPipeline(grpc::CallbackServerContext*, const v1::GetPipelineRequest*,
                                        v1::Pipeline*) override;
  grpc::ServerUnaryReactor* ListPipelines(grpc::CallbackServerContext*,
                                          const v1::ListPipelinesRequest*,
                                          v1::ListPipelinesResponse*) override;
  grpc::ServerUnaryReactor* WaitPipeline(grpc::CallbackServerContext*,
                                         const v1::WaitPipelineRequest*, v1::Pipeline*) override;
  grpc::ServerUnaryReactor* CancelPipeline(grpc::CallbackServerContext*,
                                           const v1::CancelPipelineRequest*,
                                           v1::Pipeline*) override;
  grpc::ServerUnaryReactor* ResumePipeline(grpc::CallbackServerContext*,
                                           const v1::ResumePipelineRequest*,
                                           v1::Pipeline*) override;
  grpc::ServerUnaryReactor* DeletePipeline(grpc::CallbackServerContext*,
                                           const v1::DeletePipelineRequest*,
                                           google::protobuf::Empty*) override;

 private:
  absl::Status Read(const std::string& tenant, const std::string& id, v1::Pipeline* response) const;
  void Answer(const std::string& tenant, const std::string& id, v1::Pipeline* response,
              grpc::ServerUnaryReactor* reactor) const;
  void AnswerRepeat(const std::string& tenant, JobId job, v1::Pipeline* response,
                    grpc::ServerUnaryReactor* reactor) const;
  void Create(const Principal& principal, const v1::CreatePipelineRequest& request,
              RequestIdentity identity, v1::Pipeline* response, grpc::ServerUnaryReactor* reactor);

  const Backend& backend_;
  PipelineKeeper& keeper_;
};

}  // namespace switchyard::scheduler
