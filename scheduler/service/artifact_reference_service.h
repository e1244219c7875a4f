// switchyard.worker.v1.ArtifactReferenceService: which tenant may read which artifact. Called by
// gateways and workers. Thread-safe; the backend outlives it.
#pragma once

#include "grpcpp/grpcpp.h"
#include "scheduler/service/artifact_quota.h"
#include "scheduler/service/backend.h"
#include "switchyard/worker/v1/artifact_reference_service.grpc.pb.h"

namespace switchyard::scheduler {

class ArtifactReferenceService final
    : public worker::v1::ArtifactReferenceService::CallbackService {
 public:
  // Both outlive it.
  ArtifactReferenceService(const Backend& backend, ArtifactQuota& quota)
      : backend_(backend), quota_(quota) {}

  grpc::ServerUnaryReactor* AdmitArtifact(grpc::CallbackServerContext*,
                                          const worker::v1::AdmitArtifactRequest*,
                                          worker::v1::AdmitArtifactResponse*) override;

  grpc::ServerUnaryReactor* RecordArtifact(grpc::CallbackServerContext*,
                                           const worker::v1::RecordArtifactRequest*,
                                           v1::Artifact*) override;
  grpc::ServerUnaryReactor* LookupArtifact(grpc::CallbackServerContext*,
                                           const worker::v1::LookupArtifactRequest*,
                                           v1::Artifact*) override;

 private:
  // `reserved_bytes` of the quota are given back when it is stored.
  void Record(ArtifactReferenceRow row, grpc::ServerUnaryReactor* reactor, v1::Artifact* response,
              int64_t reserved_bytes = 0);

  const Backend& backend_;
  ArtifactQuota& quota_;
};

}  // namespace switchyard::scheduler
