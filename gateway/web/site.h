// What the gateway answers itself: its pages, the API's description, health and metrics.
// Thread-safe.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "gateway/http/message.h"

namespace switchyard::gateway {

struct SiteContent {
  std::string openapi;  // JSON.
  // Whether calls can be taken; its error becomes the 503's body.
  std::function<absl::Status()> ready;
  std::function<std::string()> metrics_page;
};

class Site {
 public:
  explicit Site(SiteContent content) : content_(std::move(content)) {}

  // Nothing when the path is none of the site's.
  std::optional<http::Response> Answer(const http::RequestHead& head) const;

  // Pages that a browser may open from anywhere (a link, a bookmark): they hold no data and do
  // nothing.
  static bool IsPage(absl::string_view path);

 private:
  http::Response Ready(const http::RequestHead& head) const;

  const SiteContent content_;
};

}  // namespace switchyard::gateway
