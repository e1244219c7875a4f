#include "common/artifacts/directory_layout.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace switchyard {

std::string ShardOf(const std::string& directory, absl::string_view sha256) {
  return absl::StrCat(directory, "/", sha256.substr(0, 2));
}

std::string PathOf(const std::string& directory, absl::string_view sha256) {
  return absl::StrCat(ShardOf(directory, sha256), "/", sha256.substr(2));
}

std::string SumsPathOf(const std::string& directory, absl::string_view sha256) {
  return PathOf(directory, sha256) + ".sums";
}

absl::Status MakeFolder(const std::string& folder) {
  if (mkdir(folder.c_str(), 0750) != 0 && errno != EEXIST) {
    return FileError(errno, "make the folder", folder);
  }
  return absl::OkStatus();
}

absl::StatusOr<UniqueFd> LockFolder(const std::string& folder, int flock_operation) {
  UniqueFd fd(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) return FileError(errno, "open the folder", folder);
  int locked;
  do {
    locked = flock(fd.get(), flock_operation);
  } while (locked != 0 && errno == EINTR);
  if (locked != 0) return FileError(errno, "lock the folder", folder);
  return fd;
}

std::array<timespec, 2> TimesOfNow() {
  const timespec now = absl::ToTimespec(absl::Now());
  return {now, now};
}

absl::Status PublishFile(const std::string& directory, const std::string& path, int fd,
                         absl::string_view sha256, absl::string_view sums) {
  if (fdatasync(fd) != 0) return FileError(errno, "sync", path);
  const std::string folder = ShardOf(directory, sha256), target = PathOf(directory, sha256);
  if (absl::Status status = MakeFolder(folder); !status.ok()) return status;
  const absl::StatusOr<UniqueFd> lock = LockFolder(folder, LOCK_SH);
  if (!lock.ok()) return lock.status();
  if (!sums.empty()) {
    absl::Status status = ReplaceFile(SumsPathOf(directory, sha256), sums);
    if (!status.ok()) return status;
  }
  const auto times = TimesOfNow();
  if (futimens(fd, times.data()) != 0) return FileError(errno, "set the time of", path);
  if (std::rename(path.c_str(), target.c_str()) != 0) return FileError(errno, "make", target);
  if (fsync(lock->get()) != 0) return FileError(errno, "sync the folder", folder);
  return SyncFolder(directory);
}

absl::Status ReplaceFile(const std::string& path, absl::string_view content) {
  static std::atomic<uint64_t> next{0};
  const std::string temporary = absl::StrCat(path, ".", getpid(), ".", next++);
  const UniqueFd fd(open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640));
  if (!fd.valid()) return FileError(errno, "make", temporary);
  absl::Status status = WriteFully(fd.get(), content, temporary);
  if (status.ok() && fdatasync(fd.get()) != 0) status = FileError(errno, "sync", temporary);
  if (status.ok() && std::rename(temporary.c_str(), path.c_str()) != 0) {
    status = FileError(errno, "make", path);
  }
  if (!status.ok()) unlink(temporary.c_str());
  return status;
}

}  // namespace switchyard
