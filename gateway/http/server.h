// The HTTP/1.1 server: a few threads, each with its own event loop and its own connections; one
// coroutine a connection, no thread a request, no lock between connections.
//
// Bounds: head 32 KiB, head within 10 s, a body or a write that makes no progress within 60 s, idle
// connections 75 s, so many connections at once (more are answered 503 and closed).
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/net/address.h"
#include "gateway/http/exchange.h"

namespace switchyard::gateway::http {

struct ServerOptions {
  int threads = 2;
  size_t max_connections = 1024;
  std::chrono::milliseconds head_timeout{10'000};
  std::chrono::milliseconds progress_timeout{60'000};
  std::chrono::milliseconds idle_timeout{75'000};
  // How often time-outs are looked at and clients that went away are noticed.
  std::chrono::milliseconds sweep_interval{250};
};

class Server {
 public:
  virtual ~Server() = default;  // As Stop with no grace.

  // Binds and starts serving. INVALID_ARGUMENT when the address cannot be bound, with the system's
  // reason. `handler` must outlive the server.
  static absl::StatusOr<std::unique_ptr<Server>> Start(const Address& listen,
                                                       const ServerOptions& options,
                                                       Handler* handler);

  // With the port that was really bound.
  virtual Address address() const = 0;
  virtual size_t connections() const = 0;
  // Takes no more connections, closes idle ones, tells endless answers to end, waits up to `grace`
  // for the others, then closes. Blocks. Idempotent.
  virtual void Stop(std::chrono::milliseconds grace) = 0;
};

}  // namespace switchyard::gateway::http
