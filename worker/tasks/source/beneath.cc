#include "worker/tasks/source/beneath.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/status/error.h"

namespace switchyard::worker {
namespace {

absl::Status OpenError(int error, const std::string& shown) {
  switch (error) {
    case EXDEV:
    case ELOOP:
      return MakeError(absl::StatusCode::kPermissionDenied, "OUTSIDE_DATA_ROOTS",
                       absl::StrCat("'", shown, "' leads out of the worker's data roots"),
                       {{"path", shown}});
    case ENOENT:
    case ENOTDIR:
      return MakeError(absl::StatusCode::kNotFound, "SOURCE_NOT_FOUND",
                       absl::StrCat("'", shown, "' is not on this worker's host"),
                       {{"path", shown}});
    case EACCES:
    case EPERM:
      return MakeError(absl::StatusCode::kPermissionDenied, "SOURCE_NOT_READABLE",
                       absl::StrCat("the worker's user may not read '", shown, "'"),
                       {{"path", shown}});
    case ENAMETOOLONG:
      return MakeError(absl::StatusCode::kInvalidArgument, "PATH_TOO_LONG",
                       absl::StrCat("'", shown.substr(0, 200), "...' is too long a path"));
    case ENOSPC:
    case EDQUOT:
      return MakeError(absl::StatusCode::kResourceExhausted, "DISK_FULL",
                       absl::StrCat("no room on disk for '", shown, "'"), {{"path", shown}});
    default:
      return absl::InternalError(absl::StrCat("opening '", shown, "': ", std::strerror(error)));
  }
}

// Parts without empty ones and `.`; `..` stays, for the kernel to judge.
std::vector<std::string> Parts(const std::string& path) {
  std::vector<std::string> parts = absl::StrSplit(path, '/', absl::SkipEmpty());
  parts.erase(std::remove(parts.begin(), parts.end(), "."), parts.end());
  return parts;
}

bool BeginsWith(const std::vector<std::string>& path, const std::vector<std::string>& root) {
  return path.size() >= root.size() && std::equal(root.begin(), root.end(), path.begin());
}

absl::Status Outside(const std::vector<std::string>& roots, const std::string& path) {
  const std::string there = roots.empty() ? "this worker has none"
                                          : absl::StrCat("they are: ", absl::StrJoin(roots, ", "));
  return MakeError(absl::StatusCode::kPermissionDenied, "OUTSIDE_DATA_ROOTS",
                   absl::StrCat("'", path, "' is outside the worker's data roots (", there,
                                "); move the data, add its folder to data_roots in the worker's "
                                "configuration, or upload it as an artifact"),
                   {{"path", path}});
}

}  // namespace

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  if (this != &other) {
    if (fd_ >= 0) close(fd_);
    fd_ = other.Release();
  }
  return *this;
}

Descriptor::~Descriptor() {
  if (fd_ >= 0) close(fd_);
}

int Descriptor::Release() {
  const int fd = fd_;
  fd_ = -1;
  return fd;
}

absl::StatusOr<Descriptor> OpenBeneath(int directory, const std::string& path, int flags,
                                       const std::string& shown, unsigned mode) {
  if (path.find('\0') != std::string::npos) {
    return absl::InvalidArgumentError("a path holds a NUL byte");
  }
  open_how how = {};
  how.flags = static_cast<unsigned>(flags | O_CLOEXEC);
  how.mode = mode;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  long fd = -1;
  do {
    fd = syscall(SYS_openat2, directory, path.c_str(), &how, sizeof(how));
  } while (fd < 0 && (errno == EINTR || errno == EAGAIN));
  if (fd < 0) return OpenError(errno, shown);
  return Descriptor(static_cast<int>(fd));
}

absl::StatusOr<PathInRoot> FindRoot(const std::vector<std::string>& roots,
                                    const std::string& path) {
  if (!absl::StartsWith(path, "/")) {
    return MakeError(absl::StatusCode::kInvalidArgument, "PATH_NOT_ABSOLUTE",
                     absl::StrCat("'", path, "' is not an absolute path"));
  }
  const std::vector<std::string> parts = Parts(path);
  const std::string* best = nullptr;
  size_t best_length = 0;
  for (const std::string& root : roots) {
    const std::vector<std::string> root_parts = Parts(root);
    if (!BeginsWith(parts, root_parts)) continue;
    if (best != nullptr && root_parts.size() <= best_length) continue;
    best = &root;
    best_length = root_parts.size();
  }
  if (best == nullptr) return Outside(roots, path);
  const int fd = open(best->c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return OpenError(errno, *best);
  const std::string rest = absl::StrJoin(parts.begin() + best_length, parts.end(), "/");
  return PathInRoot{Descriptor(fd), rest.empty() ? "." : rest};
}

}  // namespace switchyard::worker
