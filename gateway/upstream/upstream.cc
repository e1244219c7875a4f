#include "gateway/upstream/upstream.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"

namespace switchyard::gateway {

Upstream::Upstream(std::shared_ptr<grpc::Channel> scheduler)
    : scheduler_(std::move(scheduler)), scheduler_stub_(scheduler_) {}

void Upstream::Serve(const std::string& service, std::shared_ptr<grpc::Channel> channel) {
  own_[service] = std::make_unique<grpc::GenericStub>(std::move(channel));
}

grpc::GenericStub& Upstream::StubFor(absl::string_view method) {
  const absl::string_view service = method.substr(1, method.rfind('/') - 1);
  const auto found = own_.find(service);
  return found == own_.end() ? scheduler_stub_ : *found->second;
}

std::shared_ptr<grpc::Channel> DialScheduler(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxMessageBytes);
  arguments.SetMaxSendMessageSize(kMaxMessageBytes);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 50);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 50);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 500);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

void FillContext(const CallInfo& info, grpc::ClientContext* context) {
  if (info.deadline != absl::InfiniteFuture()) {
    context->set_deadline(absl::ToChronoTime(info.deadline));
  }
  const auto add = [&](const char* name, const std::string& value) {
    // gRPC ends the process on metadata that has other characters.
    const bool sendable = std::all_of(value.begin(), value.end(), absl::ascii_isprint);
    if (!value.empty() && sendable) context->AddMetadata(name, value);
  };
  add("traceparent", info.traceparent);
  add("tracestate", info.tracestate);
  add("x-request-id", info.request_id);
  add("authorization", info.authorization);
}

}  // namespace switchyard::gateway
