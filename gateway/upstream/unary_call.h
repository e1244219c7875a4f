// One unary call as something a coroutine waits for.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>

#include "absl/status/statusor.h"
#include "gateway/upstream/upstream.h"
#include "grpcpp/support/byte_buffer.h"

namespace switchyard::gateway {

// How a caller that gives up says so. Used on one thread; the call may live on another.
class CancelSwitch {
 public:
  // Cancels the call under way, and every later one at once.
  void Cancel();
  bool cancelled() const { return cancelled_; }

 private:
  friend boost::asio::awaitable<absl::StatusOr<grpc::ByteBuffer>> CallUnary(Upstream&,
                                                                            const CallInfo&,
                                                                            grpc::ByteBuffer,
                                                                            CancelSwitch*);
  std::weak_ptr<grpc::ClientContext> call_;
  bool cancelled_ = false;
};

// Resumes on the coroutine's own executor, always, however the call ends. `cancel` must outlive the
// wait; not null.
boost::asio::awaitable<absl::StatusOr<grpc::ByteBuffer>> CallUnary(Upstream& upstream,
                                                                   const CallInfo& info,
                                                                   grpc::ByteBuffer request,
                                                                   CancelSwitch* cancel);

// Errors of a call that may be repeated without harm: the scheduler was away, or threw its work
// away.
bool MayRepeat(const absl::Status& status);

}  // namespace switchyard::gateway
