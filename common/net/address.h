// Listen and connect addresses: `HOST:PORT`, `[V6]:PORT`, `unix:/path`.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace switchyard {

struct Address {
  std::string unix_path;  // Set: a Unix socket, and the others are not.
  std::string host;       // Without brackets.
  uint16_t port = 0;      // 0 asks the system for a free one.
  bool is_unix() const { return !unix_path.empty(); }
  std::string ToString() const;
};

// INVALID_ARGUMENT says what form is expected.
absl::StatusOr<Address> ParseAddress(absl::string_view text);

// True for 127.0.0.0/8, ::1, localhost and Unix sockets.
bool IsLoopback(const Address& address);

// Until keys are configured a process may bind only what strangers cannot reach. INVALID_ARGUMENT
// names the address, why, and what to write instead. `what` names the setting.
absl::Status RequireLoopback(absl::string_view what, absl::string_view address);

}  // namespace switchyard
