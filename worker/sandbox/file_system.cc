#include "worker/sandbox/file_system.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <system_error>

#include "worker/sandbox/system_error.h"

namespace switchyard::sandbox {
namespace {

namespace fs = std::filesystem;
using ::switchyard::worker::v1::SandboxPlan;

constexpr uint64_t kReadOnly = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
constexpr uint64_t kWritable = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
constexpr uint64_t kDevice = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC;

absl::Status Restrict(const std::string& path, uint64_t attributes, unsigned flags) {
  mount_attr change = {};
  change.attr_set = attributes;
  if (mount_setattr(AT_FDCWD, path.c_str(), flags, &change, sizeof change) == 0)
    return absl::OkStatus();
  return SystemError("mount_setattr", path);
}

// A folder or an empty file to mount something on.
absl::Status MakePlace(const fs::path& place, bool folder) {
  std::error_code error;
  fs::create_directories(folder ? place : place.parent_path(), error);
  if (error) return absl::FailedPreconditionError(place.string() + ": " + error.message());
  if (folder) return absl::OkStatus();
  const int fd = open(place.c_str(), O_CREAT | O_RDONLY | O_CLOEXEC | O_NOFOLLOW, 0644);
  if (fd < 0) return SystemError("open", place.string());
  close(fd);
  return absl::OkStatus();
}

absl::Status Bind(const std::string& source, const fs::path& place, uint64_t attributes) {
  struct stat file = {};
  if (stat(source.c_str(), &file) != 0) return SystemError("stat", source);
  if (absl::Status made = MakePlace(place, S_ISDIR(file.st_mode)); !made.ok()) return made;
  if (mount(source.c_str(), place.c_str(), nullptr, MS_BIND | MS_REC, nullptr) != 0)
    return SystemError("mount", source);
  return Restrict(place.string(), attributes, AT_RECURSIVE);
}

absl::Status MountTmpfs(const fs::path& place, const std::string& options) {
  if (absl::Status made = MakePlace(place, /*folder=*/true); !made.ok()) return made;
  if (mount("tmpfs", place.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, options.c_str()) == 0)
    return absl::OkStatus();
  return SystemError("mount", "a tmpfs");
}

// Read-only at the same path. `/bin -> usr/bin` stays such a link; an absolute one may lead where
// nothing is mounted, so what it leads to is mounted in its place.
absl::Status Show(const fs::path& root, const std::string& path, bool required) {
  struct stat file = {};
  if (lstat(path.c_str(), &file) != 0)
    return required ? SystemError("stat", path) : absl::OkStatus();
  const fs::path place = root / fs::path(path).relative_path();
  std::error_code error;
  const fs::path target = S_ISLNK(file.st_mode) ? fs::read_symlink(path, error) : fs::path();
  if (!target.empty() && target.is_relative()) {
    fs::create_directories(place.parent_path(), error);
    fs::create_symlink(target, place, error);
    return absl::OkStatus();
  }
  if (!target.empty() && !fs::exists(path, error)) return absl::OkStatus();
  return Bind(path, place, kReadOnly);
}

absl::Status MountDevices(const fs::path& root, const SandboxPlan& plan) {
  for (const std::string& device : plan.devices()) {
    const fs::path place = root / fs::path(device).relative_path();
    if (absl::Status status = Bind(device, place, kDevice); !status.ok()) return status;
  }
  const fs::path dev = root / "dev";
  std::error_code error;
  fs::create_directories(dev, error);
  fs::create_symlink("/proc/self/fd", dev / "fd", error);
  fs::create_symlink("/proc/self/fd/0", dev / "stdin", error);
  fs::create_symlink("/proc/self/fd/1", dev / "stdout", error);
  fs::create_symlink("/proc/self/fd/2", dev / "stderr", error);
  // Half: the pages count as memory of the attempt only while they are mapped.
  const uint64_t bytes = plan.memory_bytes() != 0 ? plan.memory_bytes() / 2 : uint64_t{1} << 30;
  return MountTmpfs(dev / "shm", absl::StrCat("mode=1777,size=", bytes));
}

absl::Status MountProcessesAt(const fs::path& place, bool own_processes) {
  if (!own_processes) return Bind("/proc", place, kReadOnly);
  if (absl::Status made = MakePlace(place, /*folder=*/true); !made.ok()) return made;
  if (mount("proc", place.c_str(), "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) == 0)
    return absl::OkStatus();
  return SystemError("mount", "a /proc of its own");
}

absl::Status Fill(const fs::path& root, const SandboxPlan& plan, bool own_processes) {
  for (const std::string& path : plan.system_paths()) {
    if (absl::Status status = Show(root, path, /*required=*/false); !status.ok()) return status;
  }
  absl::Status status = MountDevices(root, plan);
  if (status.ok()) status = MountProcessesAt(root / "proc", own_processes);
  if (status.ok()) status = Bind(plan.work_folder(), root / "work", kWritable);
  if (status.ok()) status = Bind(plan.temporary_folder(), root / "tmp", kWritable);
  // Last, so that one beneath /tmp is not covered.
  for (const std::string& path : plan.read_paths()) {
    if (status.ok()) status = Show(root, path, /*required=*/true);
  }
  return status;
}

}  // namespace

absl::Status KeepMountsHere() {
  if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0) return absl::OkStatus();
  return SystemError("mount", "/ as private");
}

absl::Status MountProcesses() { return MountProcessesAt("/proc", /*own_processes=*/true); }

absl::Status EnterOwnFileSystem(const SandboxPlan& plan, bool own_processes) {
  const fs::path root = plan.root_folder();
  if (absl::Status status = MountTmpfs(root, "mode=755,size=16m"); !status.ok()) return status;
  if (absl::Status status = Fill(root, plan, own_processes); !status.ok()) return status;
  if (chdir(root.c_str()) != 0) return SystemError("chdir", root.string());
  // The old root is stacked on the new one and taken away: pivot_root(2).
  if (syscall(SYS_pivot_root, ".", ".") != 0) return SystemError("pivot_root");
  if (umount2(".", MNT_DETACH) != 0) return SystemError("umount", "the old root");
  if (chdir("/") != 0) return SystemError("chdir", "/");
  return Restrict("/", MOUNT_ATTR_RDONLY, 0);
}

}  // namespace switchyard::sandbox
