#include "worker/tasks/command/work_folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "absl/strings/str_cat.h"
#include "common/status/error.h"

namespace switchyard::worker {
namespace {

// errno tells when the result is not valid.
UniqueFd OpenInside(const std::string& folder, const std::string& path, int flags) {
  const UniqueFd root(open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root.valid()) return UniqueFd(-1);
  open_how how = {};
  how.flags = static_cast<unsigned>(flags | O_CLOEXEC);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  long fd = -1;
  do {
    fd = syscall(SYS_openat2, root.get(), path.c_str(), &how, sizeof how);
  } while (fd < 0 && (errno == EINTR || errno == EAGAIN));
  const int error = errno;
  UniqueFd opened(static_cast<int>(fd));
  errno = error;
  return opened;
}

}  // namespace

EntryType TypeOf(const std::string& folder, const std::string& path) {
  const UniqueFd fd = OpenInside(folder, path, O_PATH | O_NOFOLLOW);
  if (!fd.valid()) return errno == ENOENT ? EntryType::kMissing : EntryType::kOther;
  struct stat entry = {};
  if (fstat(fd.get(), &entry) != 0) return EntryType::kOther;
  if (S_ISREG(entry.st_mode)) return EntryType::kFile;
  return S_ISDIR(entry.st_mode) ? EntryType::kFolder : EntryType::kOther;
}

absl::StatusOr<std::vector<std::string>> ListFolder(const std::string& folder,
                                                    const std::string& path) {
  const UniqueFd opened = OpenInside(folder, path, O_RDONLY | O_DIRECTORY);
  if (!opened.valid()) return FileError(errno, "read", path);
  DIR* const listing = fdopendir(dup(opened.get()));
  if (listing == nullptr) return FileError(errno, "read", path);
  std::vector<std::string> names;
  while (const dirent* entry = readdir(listing)) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  closedir(listing);
  std::sort(names.begin(), names.end());
  return names;
}

absl::StatusOr<OpenedFile> OpenFile(const std::string& folder, const std::string& path) {
  UniqueFd fd = OpenInside(folder, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
  struct stat entry = {};
  if (fd.valid() && fstat(fd.get(), &entry) == 0 && S_ISREG(entry.st_mode)) {
    return OpenedFile{std::move(fd), static_cast<uint64_t>(entry.st_size)};
  }
  return MakeError(absl::StatusCode::kFailedPrecondition, "OUTPUT_NOT_A_FILE",
                   absl::StrCat("'", path, "' is no plain file, or lies behind a link"),
                   {{"path", path}});
}

}  // namespace switchyard::worker
