#include "worker/tasks/command/uid_lease.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/status/error.h"

namespace switchyard::worker {

absl::StatusOr<UidLease> UidLease::Take(uid_t first, uint32_t count) {
  for (uint32_t i = 0; i < count; ++i) {
    const uid_t uid = first + i;
    UniqueFd fd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!fd.valid()) return FileError(errno, "make a socket for", "a user id");
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    const std::string name = absl::StrCat("switchyard/uid/", uid);  // After a NUL: abstract.
    std::memcpy(address.sun_path + 1, name.data(), name.size());
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
    if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), size) == 0)
      return UidLease(std::move(fd), uid);
    if (errno != EADDRINUSE) return FileError(errno, "take", name);
  }
  return MakeError(absl::StatusCode::kResourceExhausted, "NO_FREE_UID",
                   absl::StrCat("all ", count, " user ids from ", first,
                                " are in use; raise commands.uid_count of the worker"));
}

}  // namespace switchyard::worker
