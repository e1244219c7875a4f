#include "gateway/http/head_check.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace switchyard::gateway::http {
namespace {

constexpr size_t kMaxTargetBytes = 8192;

std::optional<Refusal> CheckFraming(const RequestHead& head) {
  const int lengths = head.headers.Count("Content-Length");
  const int codings = head.headers.Count("Transfer-Encoding");
  if (lengths > 1) return Refusal{400, "more than one Content-Length"};
  if (codings > 1) return Refusal{400, "more than one Transfer-Encoding"};
  if (lengths + codings > 1) return Refusal{400, "both Content-Length and Transfer-Encoding"};
  if (codings == 1) {
    if (head.version < 11) return Refusal{400, "Transfer-Encoding in HTTP/1.0"};
    if (!absl::EqualsIgnoreCase(head.headers.Find("Transfer-Encoding"), "chunked")) {
      return Refusal{501, "the only transfer coding taken is chunked"};
    }
  }
  if (lengths == 1) {
    const absl::string_view length = head.headers.Find("Content-Length");
    if (length.empty() || !std::all_of(length.begin(), length.end(), absl::ascii_isdigit)) {
      return Refusal{400, "Content-Length is not a number"};
    }
  }
  return std::nullopt;
}

std::optional<Refusal> CheckHost(const RequestHead& head) {
  const int hosts = head.headers.Count("Host");
  if (hosts > 1) return Refusal{400, "more than one Host"};
  if (hosts == 0 && head.version >= 11) return Refusal{400, "no Host"};
  return std::nullopt;
}

std::optional<Refusal> CheckTarget(const RequestHead& head) {
  if (head.verb == "CONNECT") return Refusal{501, "CONNECT is not offered here"};
  if (head.target == "*" && head.verb == "OPTIONS") return std::nullopt;
  if (head.target.size() > kMaxTargetBytes) {
    return Refusal{414,
                   absl::StrCat("the request target is longer than ", kMaxTargetBytes, " bytes")};
  }
  if (head.target.empty() || head.target[0] != '/') {
    return Refusal{400, "the request target must begin with a slash"};
  }
  const bool visible = std::all_of(head.target.begin(), head.target.end(),
                                   [](char c) { return c > 0x20 && c < 0x7F && c != '#'; });
  if (!visible) return Refusal{400, "the request target holds characters that must be escaped"};
  return std::nullopt;
}

}  // namespace

std::optional<Refusal> CheckHead(const RequestHead& head) {
  if (head.version != 10 && head.version != 11) {
    return Refusal{505, "HTTP/1.1 and HTTP/1.0 are spoken here"};
  }
  if (auto refusal = CheckHost(head)) return refusal;
  if (auto refusal = CheckFraming(head)) return refusal;
  if (auto refusal = CheckTarget(head)) return refusal;
  const absl::string_view expect = head.headers.Find("Expect");
  if (!expect.empty() && !absl::EqualsIgnoreCase(expect, "100-continue")) {
    return Refusal{417, "the only expectation met is 100-continue"};
  }
  return std::nullopt;
}

}  // namespace switchyard::gateway::http
