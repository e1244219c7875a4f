// One streaming call passed on as bytes, message by message, in both directions: one message in
// memory each way, so a slow reader slows the writer. Deletes itself.
#pragma once

#include <functional>

#include "common/sync/mutex.h"
#include "gateway/upstream/upstream.h"
#include "grpcpp/generic/async_generic_service.h"
#include "grpcpp/support/client_callback.h"

namespace switchyard::gateway {

class StreamProxy final : public grpc::ServerGenericBidiReactor {
 public:
  // `done` is told the code, once.
  StreamProxy(Upstream& upstream, const CallInfo& info, std::function<void(grpc::StatusCode)> done);

 private:
  // The call onwards.
  class Onward final : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
   public:
    explicit Onward(StreamProxy* proxy) : proxy_(proxy) {}
    void OnReadDone(bool ok) override { proxy_->OnwardRead(ok); }
    void OnWriteDone(bool ok) override { proxy_->OnwardWritten(ok); }
    void OnDone(const grpc::Status& status) override { proxy_->OnwardDone(status); }

   private:
    StreamProxy* const proxy_;
  };

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override { context_.TryCancel(); }
  void OnDone() override { delete this; }

  void OnwardRead(bool ok);
  void OnwardWritten(bool ok);
  void OnwardDone(const grpc::Status& status);

  const std::function<void(grpc::StatusCode)> done_;
  grpc::ClientContext context_;
  Flight flight_;
  Onward onward_{this};
  grpc::ByteBuffer from_caller_;
  grpc::ByteBuffer from_upstream_;
  Mutex mutex_;
  // The upstream's last message was read: nothing more may be started on it.
  bool upstream_over_ GUARDED_BY(mutex_) = false;
};

}  // namespace switchyard::gateway
