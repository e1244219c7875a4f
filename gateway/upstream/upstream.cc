#include "gateway/upstream/upstream.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "common/log/log.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"

namespace switchyard::gateway {

Upstream::Upstream(const std::vector<std::string>& schedulers)
    : finder_(std::make_unique<LeaderFinder>(schedulers, DialScheduler,
                                             [this] { LeaderChanged(); })) {
  for (const LeaderFinder::Scheduler& scheduler : finder_->schedulers()) {
    stubs_.push_back(std::make_unique<grpc::GenericStub>(scheduler.channel));
  }
}

void Upstream::Serve(const std::string& service, std::shared_ptr<grpc::Channel> channel) {
  own_[service] = std::make_unique<grpc::GenericStub>(std::move(channel));
}

void Upstream::LeaderChanged() {
  const LeaderFinder::Scheduler& leader = scheduler();
  LogInfo("another scheduler leads", {{"scheduler", leader.address}});
  MutexLock lock(mutex_);
  for (Flight* flight : flights_) {
    if (flight->scheduler_ == leader.index) continue;
    flight->overtaken_ = true;
    flight->context_->TryCancel();
  }
}

Flight::Flight(Upstream& upstream, absl::string_view method, grpc::ClientContext* context)
    : upstream_(upstream), context_(context) {
  const absl::string_view service = method.substr(1, method.rfind('/') - 1);
  if (const auto own = upstream.own_.find(service); own != upstream.own_.end()) {
    stub_ = own->second.get();
    return;
  }
  registered_ = upstream.stubs_.size() > 1;
  if (!registered_) {
    stub_ = upstream.stubs_.front().get();
    return;
  }
  // Chosen under the lock: a change of the leader comes before it and is seen, or sees this.
  MutexLock lock(upstream_.mutex_);
  scheduler_ = upstream_.scheduler().index;
  stub_ = upstream_.stubs_[scheduler_].get();
  upstream_.flights_.insert(this);
}

Flight::~Flight() {
  if (!registered_) return;
  MutexLock lock(upstream_.mutex_);
  upstream_.flights_.erase(this);
}

grpc::Status Flight::Outcome(const grpc::Status& status) const {
  if (status.ok() || !registered_) return status;
  MutexLock lock(upstream_.mutex_);
  if (!overtaken_) return status;
  return grpc::Status(grpc::StatusCode::UNAVAILABLE, "another scheduler leads now");
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
