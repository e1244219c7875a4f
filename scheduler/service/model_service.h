// switchyard.v1.ModelService: reads of the registry. Thread-safe; the backend outlives it.
#pragma once

#include "grpcpp/grpcpp.h"
#include "scheduler/service/backend.h"
#include "switchyard/v1/model_service.grpc.pb.h"

namespace switchyard::scheduler {

class ModelService final : public v1::ModelService::CallbackService {
 public:
  explicit ModelService(const Backend& backend) : backend_(backend) {}

  grpc::ServerUnaryReactor* ListModels(grpc::CallbackServerContext*, const v1::ListModelsRequest*,
                                       v1::ListModelsResponse*) override;
  grpc::ServerUnaryReactor* GetModel(grpc::CallbackServerContext*, const v1::GetModelRequest*,
                                     v1::ModelVersion*) override;

 private:
  const Backend& backend_;
};

}  // namespace switchyard::scheduler
