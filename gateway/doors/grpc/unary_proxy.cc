#include "gateway/doors/grpc/unary_proxy.h"

#include <algorithm>

#include "absl/time/clock.h"
#include "gateway/upstream/message_bytes.h"

namespace switchyard::gateway {

UnaryProxy::UnaryProxy(const Method& method, Upstream& upstream, CallInfo info, RandomIds& ids,
                       std::function<void(grpc::StatusCode)> done)
    : method_(method),
      upstream_(upstream),
      info_(std::move(info)),
      ids_(ids),
      done_(std::move(done)),
      hold_until_(std::min(info_.deadline, absl::Now() + kLongestHold)) {
  StartRead(&request_);
}

void UnaryProxy::OnReadDone(bool ok) {
  if (!ok) {
    done_(grpc::StatusCode::INVALID_ARGUMENT);
    return Finish(grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "the call has no message"));
  }
  if (method_.request_id != nullptr && !method_.reads) {
    request_ = WithDefaultString(request_, method_.request_id->number(), ids_.Uuid());
  }
  Try();
}

void UnaryProxy::Try() {
  grpc::ClientContext* context;
  {
    MutexLock lock(mutex_);
    context_ = std::make_unique<grpc::ClientContext>();
    FillContext(info_, context_.get());
    if (cancelled_) context_->TryCancel();
    context = context_.get();
  }
  response_.Clear();
  upstream_.StubFor(info_.method)
      .UnaryCall(context, info_.method, {}, &request_, &response_,
                 [this](grpc::Status status) { OnAnswer(status); });
}

void UnaryProxy::OnAnswer(const grpc::Status& status) {
  const bool repeatable = method_.reads || method_.request_id != nullptr;
  bool cancelled;
  {
    MutexLock lock(mutex_);
    cancelled = cancelled_;
  }
  if (status.error_code() == grpc::StatusCode::UNAVAILABLE && repeatable && !cancelled) {
    if (const auto pause = backoff_.Next(absl::Now(), hold_until_)) {
      alarm_.Set(absl::ToChronoTime(absl::Now() + *pause), [this](bool) { Try(); });
      return;
    }
  }
  done_(status.error_code());
  // The last statement: OnDone may delete this at once.
  if (status.ok()) {
    StartWriteAndFinish(&response_, {}, status);
  } else {
    Finish(status);
  }
}

void UnaryProxy::OnCancel() {
  MutexLock lock(mutex_);
  cancelled_ = true;
  if (context_ != nullptr) context_->TryCancel();
}

}  // namespace switchyard::gateway
