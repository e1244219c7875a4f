#include "common/net/address.h"

#include <arpa/inet.h>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace switchyard {

std::string Address::ToString() const {
  if (is_unix()) return absl::StrCat("unix:", unix_path);
  if (absl::StrContains(host, ":")) return absl::StrCat("[", host, "]:", port);
  return absl::StrCat(host, ":", port);
}

absl::StatusOr<Address> ParseAddress(absl::string_view text) {
  const absl::string_view whole = text;
  const auto bad = [&] {
    return absl::InvalidArgumentError(absl::StrCat(
        "\"", whole, "\" is not an address: HOST:PORT, [IPV6]:PORT or unix:/PATH is expected"));
  };
  Address address;
  if (absl::ConsumePrefix(&text, "unix:")) {
    // sun_path holds 107 bytes and a NUL.
    if (text.empty() || text.size() > 107) return bad();
    address.unix_path = std::string(text);
    return address;
  }
  const size_t colon = text.rfind(':');
  if (colon == absl::string_view::npos) return bad();
  absl::string_view host = text.substr(0, colon);
  if (absl::ConsumePrefix(&host, "[")) {
    if (!absl::ConsumeSuffix(&host, "]")) return bad();
  } else if (absl::StrContains(host, ":")) {
    return bad();
  }
  uint32_t port;
  if (host.empty() || !absl::SimpleAtoi(text.substr(colon + 1), &port) || port > 65535)
    return bad();
  address.host = std::string(host);
  address.port = static_cast<uint16_t>(port);
  return address;
}

bool IsLoopback(const Address& address) {
  if (address.is_unix() || absl::EqualsIgnoreCase(address.host, "localhost")) return true;
  in_addr v4;
  if (inet_pton(AF_INET, address.host.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
  in6_addr v6;
  return inet_pton(AF_INET6, address.host.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

absl::Status RequireLoopback(absl::string_view what, absl::string_view text) {
  const absl::StatusOr<Address> address = ParseAddress(text);
  if (!address.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(what, ": ", address.status().message()));
  }
  if (IsLoopback(*address)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      what, ": ", text, " can be reached by strangers, and no keys are configured; bind 127.0.0.1:",
      address->port, ", [::1]:", address->port, " or a Unix socket"));
}

}  // namespace switchyard
