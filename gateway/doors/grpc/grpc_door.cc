#include "gateway/doors/grpc/grpc_door.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/rpc/status.h"
#include "common/status/error.h"
#include "gateway/doors/grpc/stream_proxy.h"
#include "gateway/doors/grpc/unary_proxy.h"
#include "gateway/upstream/message_bytes.h"

namespace switchyard::gateway {
namespace {

using grpc::reflection::v1alpha::ServerReflectionRequest;

class RefusedCall final : public grpc::ServerGenericBidiReactor {
 public:
  explicit RefusedCall(const grpc::Status& status) { Finish(status); }
  void OnDone() override { delete this; }
};

class ReflectionCall final : public grpc::ServerGenericBidiReactor {
 public:
  explicit ReflectionCall(const Reflection* reflection) : reflection_(reflection) {
    StartRead(&request_);
  }
  void OnReadDone(bool ok) override {
    if (!ok) return Finish(grpc::Status::OK);
    const auto message = FromBytes(request_, ServerReflectionRequest::default_instance());
    if (!message.ok()) {
      return Finish(grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "not a reflection request"));
    }
    response_ = ToBytes(
        reflection_->Answer(*static_cast<const ServerReflectionRequest*>(message->get()), &sent_));
    StartWrite(&response_);
  }
  void OnWriteDone(bool) override { StartRead(&request_); }
  void OnDone() override { delete this; }

 private:
  const Reflection* const reflection_;
  absl::flat_hash_set<std::string> sent_;
  grpc::ByteBuffer request_;
  grpc::ByteBuffer response_;
};

std::string MetadataOf(const grpc::GenericCallbackServerContext& context, const char* name) {
  const auto found = context.client_metadata().find(name);
  if (found == context.client_metadata().end()) return {};
  return std::string(found->second.data(), found->second.size());
}

}  // namespace

CallInfo GrpcDoor::InfoOf(const grpc::GenericCallbackServerContext& context) const {
  CallInfo info;
  info.method = context.method();
  info.deadline = absl::FromChrono(context.deadline());
  const Trace trace = ContinueTrace(MetadataOf(context, "traceparent"), *ids_);
  info.traceparent = trace.traceparent();
  if (trace.continued) info.tracestate = MetadataOf(context, "tracestate");
  info.request_id = AcceptRequestId(MetadataOf(context, "x-request-id"), *ids_);
  info.authorization = AcceptAuthorization(MetadataOf(context, "authorization"));
  return info;
}

grpc::ServerGenericBidiReactor* GrpcDoor::CreateReactor(
    grpc::GenericCallbackServerContext* context) {
  if (Reflection::IsReflectionMethod(context->method())) return new ReflectionCall(reflection_);
  const Method* method = api_->FindByGrpcPath(context->method());
  if (method == nullptr) {
    observer_("unknown", grpc::StatusCode::UNIMPLEMENTED, absl::ZeroDuration());
    return new RefusedCall(ToGrpc(MakeError(absl::StatusCode::kUnimplemented, "METHOD_UNKNOWN",
                                            absl::StrCat(context->method(), " is not offered here"),
                                            {{"method", context->method()}})));
  }
  auto done = [this, method, begin = absl::Now()](grpc::StatusCode code) {
    observer_(method->descriptor->full_name(), code, absl::Now() - begin);
  };
  if (method->client_streaming() || method->server_streaming()) {
    return new StreamProxy(*upstream_, InfoOf(*context), std::move(done));
  }
  return new UnaryProxy(*method, *upstream_, InfoOf(*context), *ids_, std::move(done));
}

}  // namespace switchyard::gateway
