// An OS lock on a folder: one process owns it. Open-file-description lock (flock), so children that
// inherit the descriptor keep it held until they are gone.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace switchyard {

class DirectoryLock {
 public:
  // Makes DIR when missing (mode 0700) and locks DIR/lock. FAILED_PRECONDITION naming the folder
  // when another process holds it. Does not wait.
  static absl::StatusOr<std::unique_ptr<DirectoryLock>> Acquire(const std::string& directory);
  ~DirectoryLock();
  // The locked descriptor (close-on-exec). A child that is to prove its end gets a duplicate.
  int fd() const { return fd_; }

 private:
  explicit DirectoryLock(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace switchyard
