// Reads that are checked: what directory and bucket share.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "common/artifacts/artifact_store.h"

namespace switchyard {

// Bytes as they lie in a store. Used by one thread at a time.
class RawArtifact {
 public:
  virtual ~RawArtifact() = default;
  virtual int64_t size_bytes() const = 0;
  // Where they lie, for messages.
  virtual std::string place() const = 0;
  // At most `max_bytes` (> 0) from `offset` on; fewer are allowed, none only when nothing is there.
  virtual absl::StatusOr<std::string> ReadAt(int64_t offset, int64_t max_bytes) = 0;
  // What BlockSums::Finish gave; NOT_FOUND.
  virtual absl::StatusOr<std::string> ReadSums() = 0;
};

// OUT_OF_RANGE (reason RANGE_NOT_SATISFIABLE) when `range` begins behind the end. A range is read
// in whole blocks and each is checked before any of it is given out. Where the sums are missing or
// damaged the whole is read and checked by its hash first: slow, and right.
absl::StatusOr<std::unique_ptr<ArtifactReader>> MakeCheckedReader(std::unique_ptr<RawArtifact> raw,
                                                                  absl::string_view sha256,
                                                                  ByteRange range);

}  // namespace switchyard
