// CRC-32C of each block of 1 MiB of an artifact, kept beside its bytes, so that a range can be
// checked without reading the whole. Artifacts of one block have none: they are read whole.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace switchyard {

inline constexpr int64_t kBlockBytes = 1 << 20;

// Made as bytes are written. Not thread-safe.
class BlockSums {
 public:
  void Update(absl::string_view data);
  // Stored form: the sums, four bytes each, little-endian, and last the CRC-32C of these bytes.
  // REQUIRES: no Update after it.
  std::string Finish();

 private:
  uint32_t sum_ = 0;
  int64_t block_bytes_ = 0;  // Taken of the block that `sum_` is of.
  std::string sums_;
};

// The sums of an artifact of `size_bytes`; nothing when `stored` is not what Finish gave.
std::optional<std::vector<uint32_t>> ReadBlockSums(absl::string_view stored, int64_t size_bytes);

}  // namespace switchyard
