// The plain HTTP listener of a daemon: /metrics, /healthz, /readyz. It runs on a thread of its own,
// so that a daemon busy with work still answers. Only loopback addresses are taken, and only
// requests whose Host is loopback, because nothing here asks for a key.
//
// Thread-safe. Owns its thread; the collectables are shared with the daemon.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "prometheus/collectable.h"

namespace switchyard {

struct AdminOptions {
  // `HOST:PORT`, loopback only; port 0 takes a free one.
  std::string listen;
  // What /metrics shows (Prometheus text 0.0.4), in this order.
  std::vector<std::shared_ptr<prometheus::Collectable>> metrics;
  // Whether new work can be taken. Called on the server's thread, must not block; its error becomes
  // the 503's body. Unset: always ready.
  std::function<absl::Status()> ready;
};

class AdminServer {
 public:
  // Binds and serves. INVALID_ARGUMENT for an address that is malformed or not loopback;
  // FAILED_PRECONDITION (reason ADDRESS_IN_USE) when it is taken.
  static absl::StatusOr<std::unique_ptr<AdminServer>> Start(AdminOptions options);
  virtual ~AdminServer() = default;  // Stops and joins; open connections are closed.
  // `HOST:PORT` really bound.
  virtual std::string address() const = 0;
};

}  // namespace switchyard
