// Opens paths beneath a folder, and never outside it: openat2 with RESOLVE_BENEATH, so that neither
// `..` nor a link, not even one that is put there while we look, leads out. Thread-safe: pure
// functions.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace switchyard::worker {

// Owns a file descriptor.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(other.Release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor();
  int get() const { return fd_; }
  int Release();

 private:
  int fd_;
};

// `path` is relative to the folder `directory`; `flags` as for open. Errors name `path` by `shown`:
// PERMISSION_DENIED (reason OUTSIDE_DATA_ROOTS when it leads out of the folder), NOT_FOUND
// (SOURCE_NOT_FOUND).
absl::StatusOr<Descriptor> OpenBeneath(int directory, const std::string& path, int flags,
                                       const std::string& shown, unsigned mode = 0);

// An absolute path beneath one of `roots` (the longest that fits), as its root's descriptor and the
// rest.
struct PathInRoot {
  Descriptor root;
  std::string path;  // Relative; "." for the root itself.
};
// PERMISSION_DENIED (OUTSIDE_DATA_ROOTS) lists the roots there are and says what else to do.
absl::StatusOr<PathInRoot> FindRoot(const std::vector<std::string>& roots, const std::string& path);

}  // namespace switchyard::worker
