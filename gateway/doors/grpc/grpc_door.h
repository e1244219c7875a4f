// The gRPC door: every public service on one port. Calls are passed to where they are served as
// bytes, unparsed; artifacts are served here (artifact_service.h), health and reflection too. What
// is not public is UNIMPLEMENTED.
//
// Thread-safe; runs on gRPC's own threads, without one of its own per call.
#pragma once

#include <functional>
#include <string>

#include "gateway/doors/caller.h"
#include "gateway/doors/grpc/reflection.h"
#include "gateway/transcode/api.h"
#include "gateway/upstream/upstream.h"
#include "grpcpp/generic/async_generic_service.h"

namespace switchyard::gateway {

// Told of every ended call: method as in the descriptor (or "unknown"), canonical code, how long it
// took.
using CallObserver =
    std::function<void(absl::string_view method, grpc::StatusCode code, absl::Duration took)>;

class GrpcDoor final : public grpc::CallbackGenericService {
 public:
  // All must outlive the door; `upstream` may still be set up until the server starts.
  GrpcDoor(const Api* api, Upstream* upstream, const Reflection* reflection, RandomIds* ids,
           CallObserver observer)
      : api_(api),
        upstream_(upstream),
        reflection_(reflection),
        ids_(ids),
        observer_(std::move(observer)) {}

  grpc::ServerGenericBidiReactor* CreateReactor(
      grpc::GenericCallbackServerContext* context) override;

 private:
  CallInfo InfoOf(const grpc::GenericCallbackServerContext& context) const;

  const Api* const api_;
  Upstream* const upstream_;
  const Reflection* const reflection_;
  RandomIds* const ids_;
  const CallObserver observer_;
};

}  // namespace switchyard::gateway
