// What the gateway counts. Thread-safe; the registry is the caller's.
#pragma once

#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "prometheus/counter.h"
#include "prometheus/gauge.h"
#include "prometheus/histogram.h"
#include "prometheus/registry.h"

namespace switchyard::gateway {

class GatewayMetrics {
 public:
  explicit GatewayMetrics(prometheus::Registry& registry);

  // `route` is a template or a fixed name, never a path as it came: labels are bounded.
  // A stream's time says when its client had enough: it is counted, not measured.
  void CountHttp(absl::string_view route, absl::string_view verb, int status, absl::Duration took,
                 bool stream);
  void CountGrpc(absl::string_view method, absl::string_view code, absl::Duration took);
  prometheus::Gauge& open_requests() { return open_requests_; }
  prometheus::Gauge& open_streams() { return open_streams_; }

 private:
  prometheus::Family<prometheus::Counter>& http_requests_;
  prometheus::Family<prometheus::Histogram>& http_seconds_;
  prometheus::Family<prometheus::Counter>& grpc_calls_;
  prometheus::Family<prometheus::Histogram>& grpc_seconds_;
  prometheus::Gauge& open_requests_;
  prometheus::Gauge& open_streams_;
};

}  // namespace switchyard::gateway
