#include "gateway/doors/grpc/stream_proxy.h"

#include <utility>

namespace switchyard::gateway {

StreamProxy::StreamProxy(Upstream& upstream, const CallInfo& info,
                         std::function<void(grpc::StatusCode)> done)
    : done_(std::move(done)), flight_(upstream, info.method, &context_) {
  FillContext(info, &context_);
  flight_.stub().PrepareBidiStreamingCall(&context_, info.method, {}, &onward_);
  // Writes are started from the other side's callbacks: the hold keeps the call open until its
  // reads are over.
  onward_.AddHold();
  onward_.StartRead(&from_upstream_);
  onward_.StartCall();
  StartRead(&from_caller_);
}

void StreamProxy::OnReadDone(bool ok) {
  MutexLock lock(mutex_);
  if (upstream_over_) return;
  if (ok) {
    onward_.StartWrite(&from_caller_);
  } else {
    onward_.StartWritesDone();
  }
}

void StreamProxy::OnwardWritten(bool ok) {
  if (ok) StartRead(&from_caller_);
}

void StreamProxy::OnwardRead(bool ok) {
  if (ok) return StartWrite(&from_upstream_);
  {
    MutexLock lock(mutex_);
    upstream_over_ = true;
  }
  onward_.RemoveHold();
}

void StreamProxy::OnWriteDone(bool ok) {
  // A caller that is gone: what the upstream still sends is read to its end, which the cancel
  // brings near.
  if (!ok) context_.TryCancel();
  onward_.StartRead(&from_upstream_);
}

void StreamProxy::OnwardDone(const grpc::Status& ended) {
  const grpc::Status status = flight_.Outcome(ended);
  done_(status.error_code());
  Finish(status);
}

}  // namespace switchyard::gateway
