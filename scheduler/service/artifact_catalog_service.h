// switchyard.v1.ArtifactCatalogService: what a tenant has, and giving it up. Thread-safe; backend
// and quota outlive it.
#pragma once

#include "grpcpp/grpcpp.h"
#include "scheduler/service/artifact_quota.h"
#include "scheduler/service/backend.h"
#include "switchyard/v1/artifact_catalog_service.grpc.pb.h"

namespace switchyard::scheduler {

class ArtifactCatalogService final : public v1::ArtifactCatalogService::CallbackService {
 public:
  ArtifactCatalogService(const Backend& backend, const ArtifactQuota& quota)
      : backend_(backend), quota_(quota) {}

  grpc::ServerUnaryReactor* ListArtifacts(grpc::CallbackServerContext*,
                                          const v1::ListArtifactsRequest*,
                                          v1::ListArtifactsResponse*) override;
  grpc::ServerUnaryReactor* DeleteArtifact(grpc::CallbackServerContext*,
                                           const v1::DeleteArtifactRequest*,
                                           google::protobuf::Empty*) override;

 private:
  const Backend& backend_;
  const ArtifactQuota& quota_;
};

}  // namespace switchyard::scheduler
