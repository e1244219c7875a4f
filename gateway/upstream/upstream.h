// Where calls go: the scheduler that leads, or the gateway's own server for what it serves itself;
// and the metadata every call carries. Thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/leader/leader_finder.h"
#include "common/sync/mutex.h"
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

class Flight;

class Upstream {
 public:
  // Calls of services not named by Serve go to the one of `schedulers` that leads. REQUIRES: not
  // empty.
  explicit Upstream(const std::vector<std::string>& schedulers);

  // Calls of `service` (full name) go over `channel`. Only before the first call.
  void Serve(const std::string& service, std::shared_ptr<grpc::Channel> channel);

  // The scheduler to ask, as far as is known.
  const LeaderFinder::Scheduler& scheduler() const { return finder_->leader(); }

 private:
  friend class Flight;
  using Stubs = std::vector<std::unique_ptr<grpc::GenericStub>>;

  void LeaderChanged();

  absl::flat_hash_map<std::string, std::unique_ptr<grpc::GenericStub>> own_;
  Stubs stubs_;  // One a scheduler.
  Mutex mutex_;
  std::set<Flight*> flights_ GUARDED_BY(mutex_);
  std::unique_ptr<LeaderFinder> finder_;  // Last: it calls the rest.
};

// One call, from before it is started until after it ended: chooses where it goes, and ends it when
// another scheduler leads meanwhile. A scheduler that was frozen or cut off would leave it without
// an answer for ever.
//
// Neither copied nor moved. REQUIRES: `upstream` and `context` outlive it.
class Flight {
 public:
  Flight(Upstream& upstream, absl::string_view method, grpc::ClientContext* context);
  ~Flight();
  Flight(const Flight&) = delete;
  Flight& operator=(const Flight&) = delete;

  grpc::GenericStub& stub() { return *stub_; }
  // The status the call ended with, to pass on: UNAVAILABLE when it was ended for another leader.
  grpc::Status Outcome(const grpc::Status& status) const;

 private:
  friend class Upstream;

  Upstream& upstream_;
  grpc::ClientContext* const context_;
  grpc::GenericStub* stub_ = nullptr;
  bool registered_ = false;
  size_t scheduler_ = 0;
  bool overtaken_ = false;  // Under the upstream's lock.
};

// A channel to a scheduler that finds it again within half a second of its return.
std::shared_ptr<grpc::Channel> DialScheduler(const std::string& address);

// Deadline and metadata of `info` into `context`.
void FillContext(const CallInfo& info, grpc::ClientContext* context);

// gRPC's message bound in both directions, bytes.
inline constexpr int kMaxMessageBytes = 32 * 1024 * 1024;

}  // namespace switchyard::gateway
