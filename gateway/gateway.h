// The gateway put together: both doors, what they lean on, and the order in which they start and
// stop.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gateway/http/server.h"
#include "switchyard/config/v1/gateway.pb.h"

namespace switchyard::gateway {

// What the config has no words for: tests set it, main does not.
struct GatewayTuning {
  http::ServerOptions http;
  absl::Duration heartbeat = absl::Seconds(15);
};

class Gateway {
 public:
  virtual ~Gateway() = default;  // As Stop with no grace.

  // Fills in defaults, checks the config (INVALID_ARGUMENT names every fault at once), binds both
  // doors and serves. The scheduler need not be there yet.
  static absl::StatusOr<std::unique_ptr<Gateway>> Start(

      ::switchyard::config::v1::GatewayConfig config, const GatewayTuning& tuning = {});

  // `HOST:PORT` really bound, or `unix:/path`.
  virtual std::string http_address() const = 0;
  virtual std::string grpc_address() const = 0;
  // Says "not ready" first, then lets calls end, for so long at most. Blocks. Idempotent.
  virtual void Stop(std::chrono::milliseconds grace) = 0;
};

}  // namespace switchyard::gateway
