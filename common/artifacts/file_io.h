// Reading and writing files by descriptor, with errors that name the path. Thread-safe: no state.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace switchyard {

// Owns a descriptor.
class UniqueFd {
 public:
  explicit UniqueFd(int fd) : fd_(fd) {}
  ~UniqueFd();
  UniqueFd(UniqueFd&& other) : fd_(other.fd_) { other.fd_ = -1; }
  UniqueFd(const UniqueFd&) = delete;
  UniqueFd& operator=(const UniqueFd&) = delete;
  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }

 private:
  int fd_;
};

// "cannot WHAT PATH: ..." for an errno. ENOSPC and EDQUOT are RESOURCE_EXHAUSTED (reason
// DISK_FULL), ENOENT is NOT_FOUND, EACCES and EPERM PERMISSION_DENIED, EEXIST ALREADY_EXISTS,
// EMFILE, ENFILE and EIO UNAVAILABLE, the rest INTERNAL.
absl::Status FileError(int error, absl::string_view what, absl::string_view path);

absl::Status WriteFully(int fd, absl::string_view data, absl::string_view path);

// At most `max_bytes` (> 0); empty at the end of the file.
absl::StatusOr<std::string> ReadSome(int fd, int64_t max_bytes, absl::string_view path);

// Makes a folder's entries durable.
absl::Status SyncFolder(const std::string& folder);

}  // namespace switchyard
