// Collects what is wrong with a request, so that its sender is told everything at once.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "common/status/error.h"

namespace switchyard::scheduler {

// Not thread-safe. Paths are only put together when something is wrong: a good job costs nothing
// here.
class FieldFaults {
 public:
  // Paths begin with `root`, such as `job`.
  explicit FieldFaults(absl::string_view root) : root_(root) {}

  // From now on paths begin with `root[index]`.
  void SetIndex(size_t index);

  // `field` is relative to the root: `train.epochs`; empty names the root itself. Dropped past
  // kMost.
  void Add(absl::string_view field, absl::string_view description);

  // Adds all that `other` has, under its own paths.
  void Take(const FieldFaults& other);

  // Path of `field` below the root.
  std::string Path(absl::string_view field) const;

  bool empty() const { return faults_.empty(); }
  bool full() const { return bytes_ >= kMostBytes; }

  // OK, or INVALID_ARGUMENT with every fault.
  absl::Status ToStatus() const;

 private:
  // Faults travel three times in trailers (message, details, and base64 around them), which peers
  // bound at 8 KiB.
  static constexpr size_t kMostBytes = 1200;

  std::string root_;
  bool indexed_ = false;
  size_t index_ = 0;
  size_t bytes_ = 0;  // Of paths and descriptions.
  std::vector<FieldViolation> faults_;
};

}  // namespace switchyard::scheduler
