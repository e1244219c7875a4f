#include "cli/up/free_port.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "common/net/address.h"

namespace switchyard::cli {
namespace {

// Fills a socket address for a numeric host; its length, or 0.
socklen_t ToSocketAddress(const Address& address, sockaddr_storage* storage) {
  *storage = {};
  auto* v4 = reinterpret_cast<sockaddr_in*>(storage);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(storage);
  const std::string host = address.host == "localhost" ? "127.0.0.1" : address.host;
  if (inet_pton(AF_INET, host.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(address.port);
    return sizeof *v4;
  }
  if (inet_pton(AF_INET6, host.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(address.port);
    return sizeof *v6;
  }
  return 0;
}

}  // namespace

absl::StatusOr<std::string> FreeLoopbackAddress(absl::string_view text) {
  absl::StatusOr<Address> address = ParseAddress(text);
  if (!address.ok()) return address.status();
  if (address->is_unix()) return address->ToString();
  sockaddr_storage storage;
  socklen_t length = ToSocketAddress(*address, &storage);
  if (length == 0)
    return absl::InvalidArgumentError(absl::StrCat(text, ": a numeric address is expected"));
  const int fd = socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const bool bound =
      bind(fd, reinterpret_cast<sockaddr*>(&storage), length) == 0 && listen(fd, 1) == 0;
  const int error = errno;
  if (bound) getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &length);
  close(fd);
  if (!bound && error == EADDRINUSE) {
    return absl::FailedPreconditionError(absl::StrCat(text, " is in use by another process"));
  }
  if (!bound)
    return absl::FailedPreconditionError(
        absl::StrCat("cannot listen on ", text, ": ", std::strerror(error)));
  address->port =
      ntohs(storage.ss_family == AF_INET ? reinterpret_cast<sockaddr_in*>(&storage)->sin_port
                                         : reinterpret_cast<sockaddr_in6*>(&storage)->sin6_port);
  return address->ToString();
}

}  // namespace switchyard::cli
