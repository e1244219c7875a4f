#include "gateway/http/browser_guard.h"

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/net/address.h"

namespace switchyard::gateway::http {
namespace {

bool IsRead(const RequestHead& head) {
  return head.verb == "GET" || head.verb == "HEAD" || head.verb == "OPTIONS";
}

// Types an HTML form sends without asking first, and no type at all.
bool IsFormType(absl::string_view content_type) {
  const absl::string_view type =
      absl::StripAsciiWhitespace(content_type.substr(0, content_type.find(';')));
  return type.empty() || absl::EqualsIgnoreCase(type, "text/plain") ||
         absl::EqualsIgnoreCase(type, "application/x-www-form-urlencoded") ||
         absl::EqualsIgnoreCase(type, "multipart/form-data");
}

std::optional<std::string> CheckOrigin(const RequestHead& head) {
  const absl::string_view host = head.headers.Find("Host");
  if (head.headers.Has("Origin") &&
      !absl::EqualsIgnoreCase(head.headers.Find("Origin"), absl::StrCat("http://", host))) {
    return absl::StrCat("calls from pages of ", head.headers.Find("Origin"), " are not taken");
  }
  const absl::string_view site = head.headers.Find("Sec-Fetch-Site");
  const bool typed = site == "none" && IsRead(head);
  if (!site.empty() && site != "same-origin" && !typed) {
    return absl::StrCat("a browser's call must be same-origin, this one is ", site);
  }
  return std::nullopt;
}

}  // namespace

bool IsLoopbackHost(absl::string_view host) {
  std::string name;
  const size_t colon = host.rfind(':');
  const size_t bracket = host.rfind(']');
  const bool has_port =
      colon != absl::string_view::npos && (bracket == absl::string_view::npos || colon > bracket);
  uint32_t port = 0;
  if (has_port && (!absl::SimpleAtoi(host.substr(colon + 1), &port) || port > 65535)) return false;
  name = std::string(has_port ? host.substr(0, colon) : host);
  if (absl::StartsWith(name, "[") && absl::EndsWith(name, "]"))
    name = name.substr(1, name.size() - 2);
  if (name.empty()) return false;
  Address address;
  address.host = name;
  return IsLoopback(address);
}

bool FromBrowser(const RequestHead& head) {
  return head.headers.Has("Origin") || head.headers.Has("Sec-Fetch-Site");
}

std::optional<std::string> CheckBrowser(const RequestHead& head, bool page) {
  const absl::string_view host = head.headers.Find("Host");
  // HTTP/1.0 may leave Host out; no browser speaks that.
  if (head.headers.Has("Host") && !IsLoopbackHost(host) && !head.from_unix_socket) {
    return absl::StrCat(
        "Host is \"", host,
        "\"; without keys only loopback names are answered: use 127.0.0.1 or localhost");
  }
  if (!FromBrowser(head) || (page && IsRead(head))) return std::nullopt;
  if (auto refusal = CheckOrigin(head)) return refusal;
  if (!IsRead(head) && IsFormType(head.headers.Find("Content-Type"))) {
    return "a browser's write needs Content-Type: application/json, or the page's token";
  }
  return std::nullopt;
}

}  // namespace switchyard::gateway::http
