// Artifacts, served by the gateway itself: bytes go between the caller and the store, the scheduler
// only keeps who may read what. A reference is recorded after the bytes are synced, looked up
// before they are opened.
//
// Thread-safe. Disk work happens on a small pool, so that a sync never holds up gRPC's threads.
#pragma once

#include <memory>

#include "common/artifacts/artifact_store.h"
#include "gateway/upstream/upstream.h"
#include "switchyard/v1/artifact_service.grpc.pb.h"

namespace switchyard::gateway {

struct ArtifactServiceOptions {
  uint64_t max_artifact_bytes = uint64_t{64} << 30;
  int disk_threads = 4;
};

// `store` and `upstream` must outlive the service. Stop the server before the service goes.
std::unique_ptr<grpc::Service> MakeArtifactService(ArtifactServiceOptions options,
                                                   ArtifactStore* store, Upstream& upstream);

}  // namespace switchyard::gateway
