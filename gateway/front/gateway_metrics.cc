#include "gateway/front/gateway_metrics.h"

#include "absl/strings/str_cat.h"

namespace switchyard::gateway {
namespace {

// Seconds. From a cached answer to a long wait.
const prometheus::Histogram::BucketBoundaries& Buckets() {
  static const auto* buckets = new prometheus::Histogram::BucketBoundaries{
      0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60};
  return *buckets;
}

template <typename Build>
auto& Named(Build build, prometheus::Registry& registry, const char* name, const char* help) {
  return build.Name(name).Help(help).Register(registry);
}

}  // namespace

GatewayMetrics::GatewayMetrics(prometheus::Registry& registry)
    : http_requests_(Named(prometheus::BuildCounter(), registry,
                           "switchyard_gateway_http_requests_total",
                           "HTTP requests answered, by route template, method and status.")),
      http_seconds_(
          Named(prometheus::BuildHistogram(), registry,
                "switchyard_gateway_http_request_duration_seconds",
                "Time from a request's head to the end of its answer, streams left out.")),
      grpc_calls_(Named(prometheus::BuildCounter(), registry, "switchyard_gateway_grpc_calls_total",
                        "gRPC calls passed on, by method and code.")),
      grpc_seconds_(Named(prometheus::BuildHistogram(), registry,
                          "switchyard_gateway_grpc_call_duration_seconds",
                          "Time of gRPC calls passed on.")),
      open_requests_(Named(prometheus::BuildGauge(), registry,
                           "switchyard_gateway_http_requests_open", "HTTP requests being answered.")
                         .Add({})),
      open_streams_(Named(prometheus::BuildGauge(), registry,
                          "switchyard_gateway_event_streams_open", "Event streams open over HTTP.")
                        .Add({})) {}

void GatewayMetrics::CountHttp(absl::string_view route, absl::string_view verb, int status,
                               absl::Duration took, bool stream) {
  const std::string route_label(route);
  const std::string verb_label(verb);
  http_requests_
      .Add({{"route", route_label}, {"method", verb_label}, {"code", absl::StrCat(status)}})
      .Increment();
  if (stream) return;
  http_seconds_.Add({{"route", route_label}, {"method", verb_label}}, Buckets())
      .Observe(absl::ToDoubleSeconds(took));
}

void GatewayMetrics::CountGrpc(absl::string_view method, absl::string_view code,
                               absl::Duration took) {
  grpc_calls_.Add({{"method", std::string(method)}, {"code", std::string(code)}}).Increment();
  grpc_seconds_.Add({{"method", std::string(method)}}, Buckets())
      .Observe(absl::ToDoubleSeconds(took));
}

}  // namespace switchyard::gateway
