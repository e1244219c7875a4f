// A control group (version 2) for one attempt, below the one the operator delegated.
//
// Why beside the sum the sandbox takes: the kernel counts every page when it is taken, shared
// memory and file pages written included, and nothing passes the limit between two looks.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace switchyard::worker {

// Not thread-safe. Removes the group with itself, when its processes are gone.
class ControlGroup {
 public:
  // Makes `parent`/`name` with these limits; no swap, and out of memory ends all of it at once.
  // FAILED_PRECONDITION names the file that is missing or refused.
  static absl::StatusOr<ControlGroup> Make(const std::string& parent, const std::string& name,
                                           uint64_t memory_bytes);
  ~ControlGroup();
  ControlGroup(ControlGroup&& other) : path_(std::move(other.path_)) { other.path_.clear(); }

  const std::string& path() const { return path_; }
  // The kernel ended processes of it for its memory.
  bool RanOutOfMemory() const;
  // Most memory it had; 0 where the kernel does not say (before 5.19).
  uint64_t PeakBytes() const;

 private:
  explicit ControlGroup(std::string path) : path_(std::move(path)) {}
  std::string path_;  // Empty: moved from.
};

}  // namespace switchyard::worker
