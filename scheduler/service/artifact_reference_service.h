// switchyard.worker.v1.ArtifactReferenceService: which tenant may read which artifact. Called by
// gateways and workers. Thread-safe; the backend outlives it.
#pragma once

#include "grpcpp/grpcpp.h"
#include "scheduler/service/backend.h"
#include "switchyard/worker/v1/artifact_reference_service.grpc.pb.h"

namespace switchyard::scheduler {

class ArtifactReferenceService final
    : public worker::v1::ArtifactReferenceService::CallbackService {
 public:
  explicit ArtifactReferenceService(const Backend& backend) : backend_(backend) {}

  grpc::ServerUnaryReactor* RecordArtifact(grpc::CallbackServerContext*,
                                           const worker::v1::RecordArtifactRequest*,
                                           v1::Artifact*) override;
  grpc::ServerUnaryReactor* LookupArtifact(grpc::CallbackServerContext*,
                                           const worker::v1::LookupArtifactRequest*,
                                           v1::Artifact*) override;

 private:
  const Backend& backend_;
};

}  // namespace switchyard::scheduler
