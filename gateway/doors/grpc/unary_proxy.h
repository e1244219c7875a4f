// One unary call passed on as bytes, held and repeated over a change of the leader as the JSON door
// does. Deletes itself.
#pragma once

#include <functional>

#include "gateway/doors/caller.h"
#include "gateway/transcode/api.h"
#include "gateway/upstream/held_unary.h"
#include "grpcpp/generic/async_generic_service.h"

namespace switchyard::gateway {

class UnaryProxy final : public grpc::ServerGenericBidiReactor {
 public:
  // `done` is told the code, once.
  UnaryProxy(const Method& method, Upstream& upstream, CallInfo info, RandomIds& ids,
             std::function<void(grpc::StatusCode)> done);

 private:
  void OnReadDone(bool ok) override;
  void OnCancel() override { call_.Cancel(); }
  void OnDone() override { delete this; }
  void OnAnswer(const grpc::Status& status);

  const Method& method_;
  RandomIds& ids_;
  const std::function<void(grpc::StatusCode)> done_;
  grpc::ByteBuffer request_;
  HeldUnary call_;
};

}  // namespace switchyard::gateway
