#include "worker/sandbox/network.h"

#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

#include "worker/sandbox/system_error.h"

namespace switchyard::sandbox {

absl::Status RaiseLoopback() {
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return SystemError("socket");
  ifreq request = {};
  std::strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  const absl::Status status =
      ioctl(fd, SIOCSIFFLAGS, &request) == 0 ? absl::OkStatus() : SystemError("ioctl", "lo up");
  close(fd);
  return status;
}

}  // namespace switchyard::sandbox
