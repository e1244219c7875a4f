// Where calls go: one gRPC channel a service (the scheduler's, or the gateway's own server for what
// it serves itself), and the metadata every call carries. Thread-safe.
#pragma once

#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "grpcpp/generic/generic_stub.h"

namespace switchyard::gateway {

// What goes with one call, whatever door it came through.
struct CallInfo {
  std::string method;  // `/switchyard.v1.JobService/GetJob`.
  absl::Time deadline = absl::InfiniteFuture();
  std::string traceparent;
  std::string tracestate;
  std::string request_id;     // X-Request-Id: for logs, not the idempotency key.
  std::string authorization;  // As the caller sent it; the scheduler judges it.
};

class Upstream {
 public:
  // Calls of services not named by Serve go over `scheduler`.
  explicit Upstream(std::shared_ptr<grpc::Channel> scheduler);

  // Calls of `service` (full name) go over `channel`. Only before the first call.
  void Serve(const std::string& service, std::shared_ptr<grpc::Channel> channel);

  grpc::GenericStub& StubFor(absl::string_view method);
  grpc::Channel& scheduler() { return *scheduler_; }

 private:
  std::shared_ptr<grpc::Channel> scheduler_;
  grpc::GenericStub scheduler_stub_;
  absl::flat_hash_map<std::string, std::unique_ptr<grpc::GenericStub>> own_;
};

// A channel to the scheduler that finds it again within half a second of its return.
std::shared_ptr<grpc::Channel> DialScheduler(const std::string& address);

// Deadline and metadata of `info` into `context`.
void FillContext(const CallInfo& info, grpc::ClientContext* context);

// gRPC's message bound in both directions, bytes.
inline constexpr int kMaxMessageBytes = 32 * 1024 * 1024;

}  // namespace switchyard::gateway
