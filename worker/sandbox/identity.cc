#include "worker/sandbox/identity.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <string>

#include "worker/sandbox/system_error.h"

namespace switchyard::sandbox {
namespace {

absl::Status WriteOnce(const char* path, const std::string& text) {
  const int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return SystemError("open", path);
  const bool written = write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  const absl::Status status = written ? absl::OkStatus() : SystemError("write", path);
  close(fd);
  return status;
}

}  // namespace

absl::Status EnterUserNamespace() {
  const std::string user = absl::StrCat(geteuid(), " ", geteuid(), " 1");
  const std::string group = absl::StrCat(getegid(), " ", getegid(), " 1");
  if (unshare(CLONE_NEWUSER) != 0) return SystemError("unshare", "a user namespace");
  if (absl::Status status = WriteOnce("/proc/self/setgroups", "deny"); !status.ok()) return status;
  if (absl::Status status = WriteOnce("/proc/self/uid_map", user); !status.ok()) return status;
  return WriteOnce("/proc/self/gid_map", group);
}

absl::Status BecomeUser(uid_t id) {
  if (setgroups(0, nullptr) != 0) return SystemError("setgroups");
  if (setresgid(id, id, id) != 0) return SystemError("setresgid", absl::StrCat(id));
  if (setresuid(id, id, id) != 0) return SystemError("setresuid", absl::StrCat(id));
  return absl::OkStatus();
}

absl::Status DropCapabilities() {
  // Fails for those without CAP_SETPCAP, who have nothing to drop; what counts is checked below.
  for (int capability = 0; capability <= 63; ++capability) prctl(PR_CAPBSET_DROP, capability);
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct none[2] = {};
  if (syscall(SYS_capset, &header, none) != 0) return SystemError("capset");
  return absl::OkStatus();
}

}  // namespace switchyard::sandbox
