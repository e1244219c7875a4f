#include "gateway/web/site.h"

#include "common/metrics/metrics_page.h"
#include "common/status/error.h"
#include "gateway/doors/json/answer.h"
#include "gateway/web/resources.h"

namespace switchyard::gateway {
namespace {

http::Response Text(absl::string_view content_type, absl::string_view body) {
  http::Response response;
  response.head.content_type = std::string(content_type);
  response.body = std::string(body);
  return response;
}

http::Response Page(absl::string_view content_type, absl::string_view body) {
  http::Response response = Text(content_type, body);
  response.head.headers = {
      {"Content-Security-Policy", "default-src 'self'; frame-ancestors 'none'; base-uri 'none'"},
      {"X-Content-Type-Options", "nosniff"},
      {"Referrer-Policy", "no-referrer"},
      {"Cache-Control", "no-cache"}};
  return response;
}

}  // namespace

bool Site::IsPage(absl::string_view path) {
  return path == "/" || path == "/docs" || path == "/docs.js" || path == "/queue" ||
         path == "/queue.js" || path == "/style.css";
}

http::Response Site::Ready(const http::RequestHead& head) const {
  absl::Status status = content_.ready();
  if (status.ok()) return Text("text/plain; charset=utf-8", "ready\n");
  return ProblemAnswer(WithRetryDelay(std::move(status), absl::Seconds(1)), head, 503);
}

std::optional<http::Response> Site::Answer(const http::RequestHead& head) const {
  const absl::string_view path = head.path();
  // The console's place; until it is there, a page that names the addresses.
  if (path == "/") return Page("text/html; charset=utf-8", kLandingPage);
  if (path == "/docs") return Page("text/html; charset=utf-8", kDocsPage);
  if (path == "/docs.js") return Page("text/javascript; charset=utf-8", kDocsScript);
  if (path == "/queue") return Page("text/html; charset=utf-8", kQueuePage);
  if (path == "/queue.js") return Page("text/javascript; charset=utf-8", kQueueScript);
  if (path == "/style.css") return Page("text/css; charset=utf-8", kPageStyle);
  if (path == "/openapi.json") return Text("application/json", content_.openapi);
  if (path == "/healthz") return Text("text/plain; charset=utf-8", "ok\n");
  if (path == "/readyz") return Ready(head);
  if (path == "/metrics") return Text(kMetricsMediaType, content_.metrics_page());
  return std::nullopt;
}

}  // namespace switchyard::gateway
