// One unary call passed on as bytes, held and repeated over a restart of the scheduler as the JSON
// door does. Deletes itself.
#pragma once

#include <functional>
#include <memory>

#include "common/sync/mutex.h"
#include "gateway/doors/caller.h"
#include "gateway/transcode/api.h"
#include "gateway/upstream/held_call.h"
#include "gateway/upstream/upstream.h"
#include "grpcpp/alarm.h"
#include "grpcpp/generic/async_generic_service.h"

namespace switchyard::gateway {

class UnaryProxy final : public grpc::ServerGenericBidiReactor {
 public:
  // `done` is told the code, once.
  UnaryProxy(const Method& method, Upstream& upstream, CallInfo info, RandomIds& ids,
             std::function<void(grpc::StatusCode)> done);

 private:
  void OnReadDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override { delete this; }

  void Try();
  void OnAnswer(const grpc::Status& status);

  const Method& method_;
  Upstream& upstream_;
  const CallInfo info_;
  RandomIds& ids_;
  const std::function<void(grpc::StatusCode)> done_;
  const absl::Time hold_until_;

  grpc::ByteBuffer request_;
  grpc::ByteBuffer response_;
  grpc::Alarm alarm_;
  Backoff backoff_;
  Mutex mutex_;
  std::unique_ptr<grpc::ClientContext> context_ GUARDED_BY(mutex_);
  bool cancelled_ GUARDED_BY(mutex_) = false;
};

}  // namespace switchyard::gateway
