#include "gateway/front/front.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "common/log/log.h"
#include "common/status/error.h"
#include "gateway/doors/json/answer.h"
#include "gateway/http/browser_guard.h"
#include "gateway/transcode/problem.h"

namespace switchyard::gateway {
namespace {

using http::Awaitable;
using http::Exchange;

// Bounded, for labels: whatever else a client writes is "other".
absl::string_view KnownVerb(absl::string_view verb) {
  for (const absl::string_view known :
       {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}) {
    if (verb == known) return known;
  }
  return "other";
}

http::Response NotFoundAnswer(const http::RequestHead& head) {
  return ProblemAnswer(
      MakeError(absl::StatusCode::kNotFound, "ROUTE_NOT_FOUND",
                absl::StrCat("there is nothing at ", head.path(), "; /docs tells what there is")),
      head);
}

// OPTIONS tells the same without being an error.
http::Response WrongVerbAnswer(const http::RequestHead& head, std::vector<std::string> allowed) {
  allowed.push_back("OPTIONS");
  const std::string allow = absl::StrJoin(allowed, ", ");
  http::Response response;
  if (head.verb == "OPTIONS") {
    response.head.status = 204;
  } else {
    response = ProblemAnswer(MakeError(absl::StatusCode::kUnimplemented, "METHOD_NOT_ALLOWED",
                                       absl::StrCat(head.verb, " is not offered at ", head.path(),
                                                    "; offered: ", allow)),
                             head);
  }
  response.head.headers.emplace_back("Allow", allow);
  return response;
}

}  // namespace

struct Front::Visit {
  absl::Time begin = absl::Now();
  std::string request_id;
  Trace trace;
  std::string route = "none";
  bool stream = false;
};

// Adds what every answer carries; everything else goes through.
class MarkedExchange final : public Exchange {
 public:
  MarkedExchange(Exchange& inner, const std::string& request_id)
      : inner_(inner), request_id_(request_id) {}
  const http::RequestHead& head() const override { return inner_.head(); }
  boost::asio::any_io_executor executor() override { return inner_.executor(); }
  std::optional<uint64_t> body_length() const override { return inner_.body_length(); }
  Awaitable<absl::StatusOr<std::string>> ReadBody(uint64_t max_bytes) override {
    return inner_.ReadBody(max_bytes);
  }
  Awaitable<absl::StatusOr<std::string>> ReadPiece(size_t max_bytes) override {
    return inner_.ReadPiece(max_bytes);
  }
  Awaitable<> Respond(http::Response response) override {
    Mark(&response.head);
    return inner_.Respond(std::move(response));
  }
  Awaitable<bool> Begin(http::ResponseHead head, std::optional<uint64_t> length) override {
    Mark(&head);
    return inner_.Begin(std::move(head), length);
  }
  Awaitable<bool> Write(std::string piece) override { return inner_.Write(std::move(piece)); }
  Awaitable<bool> End() override { return inner_.End(); }
  void Abort() override { inner_.Abort(); }
  void OnGone(std::function<void()> callback) override { inner_.OnGone(std::move(callback)); }
  bool gone() const override { return inner_.gone(); }
  bool stopping() const override { return inner_.stopping(); }
  int status() const override { return inner_.status(); }
  uint64_t sent_bytes() const override { return inner_.sent_bytes(); }

 private:
  void Mark(http::ResponseHead* head) { head->headers.emplace_back("X-Request-Id", request_id_); }

  Exchange& inner_;
  const std::string& request_id_;
};

Awaitable<> Front::Handle(Exchange& exchange) {
  Visit visit;
  const auto& headers = exchange.head().headers;
  visit.request_id = AcceptRequestId(headers.Find("X-Request-Id"), *ids_);
  visit.trace = ContinueTrace(headers.Find("traceparent"), *ids_);
  metrics_->open_requests().Increment();
  MarkedExchange marked(exchange, visit.request_id);
  co_await Dispatch(marked, &visit);
  metrics_->open_requests().Decrement();
  Record(exchange, visit);
}

Awaitable<> Front::Dispatch(Exchange& exchange, Visit* visit) {
  const http::RequestHead& head = exchange.head();
  const auto refusal = http::CheckBrowser(head, Site::IsPage(head.path()));
  if (refusal.has_value()) {
    co_await exchange.Respond(ProblemAnswer(
        MakeError(absl::StatusCode::kPermissionDenied, "BROWSER_REFUSED", *refusal), head));
    co_return;
  }
  if (auto answer = site_->Answer(head)) {
    visit->route = std::string(head.path());
    if (head.verb != "GET" && head.verb != "HEAD") answer = WrongVerbAnswer(head, {"GET", "HEAD"});
    co_await exchange.Respond(*std::move(answer));
    co_return;
  }
  const absl::StatusOr<Route> route = routes_->Find(head.verb, head.path());
  if (!route.ok()) {
    co_await exchange.Respond(ProblemAnswer(route.status(), head));
  } else if (route->binding != nullptr) {
    co_await CallApi(exchange, *route, visit);
  } else if (!route->allowed.empty()) {
    co_await exchange.Respond(WrongVerbAnswer(head, route->allowed));
  } else {
    co_await exchange.Respond(NotFoundAnswer(head));
  }
}

Awaitable<> Front::CallApi(Exchange& exchange, const Route& route, Visit* visit) {
  visit->route = route.binding->path.text();
  const Method& method = *route.binding->method;
  visit->stream = method.server_streaming() && !method.has_raw_body;
  CallInfo info;
  info.traceparent = visit->trace.traceparent();
  if (visit->trace.continued) {
    info.tracestate = std::string(exchange.head().headers.Find("tracestate"));
  }
  info.request_id = visit->request_id;
  info.authorization = AcceptAuthorization(exchange.head().headers.Find("Authorization"));
  if (visit->stream) metrics_->open_streams().Increment();
  co_await door_->Handle(exchange, route, std::move(info));
  if (visit->stream) metrics_->open_streams().Decrement();
}

void Front::Record(const Exchange& exchange, const Visit& visit) {
  const absl::Duration took = absl::Now() - visit.begin;
  const absl::string_view verb = KnownVerb(exchange.head().verb);
  metrics_->CountHttp(visit.route, verb, exchange.status(), took, visit.stream);
  const LogLevel level = exchange.status() >= 500 ? LogLevel::kWarning : LogLevel::kDebug;
  if (!LogEnabled(level)) return;
  Log(level, "request answered",
      {{"method", verb},
       {"path", exchange.head().path()},
       {"route", visit.route},
       {"status", exchange.status()},
       {"bytes", exchange.sent_bytes()},
       {"seconds", absl::ToDoubleSeconds(took)},
       {"request_id", visit.request_id},
       {"trace_id", visit.trace.trace_id}});
}

}  // namespace switchyard::gateway
