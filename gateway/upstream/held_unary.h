// A unary call that outlives a change of the leader, for those who wait by callback: what CallHeld
// (held_call.h) is for coroutines.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "common/sync/mutex.h"
#include "gateway/upstream/held_call.h"
#include "gateway/upstream/upstream.h"
#include "grpcpp/alarm.h"
#include "grpcpp/support/byte_buffer.h"

namespace switchyard::gateway {

// Thread-safe. One call an object.
class HeldUnary {
 public:
  using Done = std::function<void(const grpc::Status& status)>;

  HeldUnary(Upstream& upstream, CallInfo info);

  // `done` is called once, from a thread of gRPC's, as the last thing: it may delete this. The
  // answer is in response() then. `repeatable` as in CallHeld.
  void Start(grpc::ByteBuffer request, bool repeatable, Done done);
  // The caller has gone.
  void Cancel();
  grpc::ByteBuffer& response() { return response_; }

 private:
  void Try();
  void OnAnswer(const grpc::Status& ended);

  Upstream& upstream_;
  const CallInfo info_;
  const absl::Time hold_until_;
  bool repeatable_ = false;
  Done done_;
  grpc::ByteBuffer request_;
  grpc::ByteBuffer response_;
  grpc::Alarm alarm_;
  Backoff backoff_;
  Mutex mutex_;
  std::unique_ptr<grpc::ClientContext> context_ GUARDED_BY(mutex_);
  std::optional<Flight> flight_;
  bool cancelled_ GUARDED_BY(mutex_) = false;
};

}  // namespace switchyard::gateway
