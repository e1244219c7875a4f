// switchyard.v1.ArrayService: many jobs with one spec, written once. What is kept of an array is
// one document; how its jobs stand is counted when it is asked for.
//
// Thread-safe. The backend outlives it; it outlives its server.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "grpcpp/grpcpp.h"
#include "scheduler/core/image.h"
#include "scheduler/service/backend.h"
#include "switchyard/v1/array_service.grpc.pb.h"

namespace switchyard::scheduler {

// The jobs of an array of the tenant; NOT_FOUND. Reads the store.
absl::StatusOr<JobRange> JobsOfArray(const Backend& backend, const std::string& tenant, JobId id);

class ArrayService final : public v1::ArrayService::CallbackService {
 public:
  explicit ArrayService(const Backend& backend) : backend_(backend) {}

  grpc::ServerUnaryReactor* CreateArray(grpc::CallbackServerContext*, const v1::CreateArrayRequest*,
                                        v1::Array*) override;
  grpc::ServerUnaryReactor* GetArray(grpc::CallbackServerContext*, const v1::GetArrayRequest*,
                                     v1::Array*) override;
  grpc::ServerUnaryReactor* ListArrays(grpc::CallbackServerContext*, const v1::ListArraysRequest*,
                                       v1::ListArraysResponse*) override;
  grpc::ServerUnaryReactor* WaitArray(grpc::CallbackServerContext*, const v1::WaitArrayRequest*,
                                      v1::Array*) override;
  grpc::ServerUnaryReactor* UpdateArray(grpc::CallbackServerContext*, const v1::UpdateArrayRequest*,
                                        v1::Array*) override;
  grpc::ServerUnaryReactor* CancelArray(grpc::CallbackServerContext*, const v1::CancelArrayRequest*,
                                        v1::Array*) override;

 private:
  const Backend& backend_;
};

}  // namespace switchyard::scheduler
