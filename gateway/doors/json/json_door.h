// The JSON door: HTTP requests under the public API's rules become gRPC calls, answers become JSON,
// events or raw bytes. Three shapes, chosen by the method's descriptor and options: one answer
// (unary), a stream of events, raw bytes.
//
// Immutable; thread-safe. Handlers run on the connection's thread and never block it.
#pragma once

#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "gateway/doors/caller.h"
#include "gateway/http/exchange.h"
#include "gateway/transcode/route_table.h"
#include "gateway/upstream/upstream.h"

namespace switchyard::gateway {

struct JsonDoorOptions {
  uint64_t max_json_bytes = 16 << 20;
  uint64_t max_raw_bytes = uint64_t{64} << 30;
  absl::Duration default_deadline = absl::Seconds(60);
  absl::Duration heartbeat = absl::Seconds(15);
};

class JsonDoor {
 public:
  // All must outlive the door.
  JsonDoor(JsonDoorOptions options, Upstream* upstream, RandomIds* ids)
      : options_(options), upstream_(upstream), ids_(ids) {}

  // REQUIRES: route.binding is set.
  http::Awaitable<> Handle(http::Exchange& exchange, const Route& route, CallInfo info) const;

 private:
  http::Awaitable<> HandleUnary(http::Exchange& exchange, const Route& route, CallInfo info) const;
  http::Awaitable<> HandleEvents(http::Exchange& exchange, const Route& route, CallInfo info) const;
  http::Awaitable<> HandleUpload(http::Exchange& exchange, const Route& route, CallInfo info) const;
  http::Awaitable<> HandleDownload(http::Exchange& exchange, const Route& route,
                                   CallInfo info) const;

  // The request message from path, query, headers and body (read here unless it is raw).
  http::Awaitable<absl::StatusOr<std::unique_ptr<google::protobuf::Message>>> TakeRequest(
      http::Exchange& exchange, const Route& route) const;
  absl::Time DeadlineFor(const Method& method, const google::protobuf::Message& request,
                         const http::RequestHead& head) const;

  const JsonDoorOptions options_;
  Upstream* const upstream_;
  RandomIds* const ids_;
};

}  // namespace switchyard::gateway
