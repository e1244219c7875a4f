// What every HTTP request passes before and after its handler: guards, request id, trace, routing,
// metrics, a log line. Immutable; thread-safe.
#pragma once

#include "gateway/doors/caller.h"
#include "gateway/doors/json/json_door.h"
#include "gateway/front/gateway_metrics.h"
#include "gateway/http/exchange.h"
#include "gateway/transcode/route_table.h"
#include "gateway/web/site.h"

namespace switchyard::gateway {

class Front final : public http::Handler {
 public:
  // All must outlive the front.
  Front(const RouteTable* routes, const JsonDoor* door, const Site* site, GatewayMetrics* metrics,
        RandomIds* ids)
      : routes_(routes), door_(door), site_(site), metrics_(metrics), ids_(ids) {}

  http::Awaitable<> Handle(http::Exchange& exchange) override;

 private:
  struct Visit;
  http::Awaitable<> Dispatch(http::Exchange& exchange, Visit* visit);
  http::Awaitable<> CallApi(http::Exchange& exchange, const Route& route, Visit* visit);
  void Record(const http::Exchange& exchange, const Visit& visit);

  const RouteTable* const routes_;
  const JsonDoor* const door_;
  const Site* const site_;
  GatewayMetrics* const metrics_;
  RandomIds* const ids_;
};

}  // namespace switchyard::gateway
