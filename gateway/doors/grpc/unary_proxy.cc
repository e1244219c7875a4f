#include "gateway/doors/grpc/unary_proxy.h"

#include <utility>

#include "gateway/upstream/message_bytes.h"

namespace switchyard::gateway {

UnaryProxy::UnaryProxy(const Method& method, Upstream& upstream, CallInfo info, RandomIds& ids,
                       std::function<void(grpc::StatusCode)> done)
    : method_(method), ids_(ids), done_(std::move(done)), call_(upstream, std::move(info)) {
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
  const bool repeatable = method_.reads || method_.request_id != nullptr;
  call_.Start(std::move(request_), repeatable,
              [this](const grpc::Status& status) { OnAnswer(status); });
}

void UnaryProxy::OnAnswer(const grpc::Status& status) {
  done_(status.error_code());
  // The last statement: OnDone may delete this at once.
  if (status.ok()) {
    StartWriteAndFinish(&call_.response(), {}, status);
  } else {
    Finish(status);
  }
}

}  // namespace switchyard::gateway
