// Packs a folder as one tar file, the same bytes for the same content: names sorted, times and
// owners zero. So a folder that did not change is the same artifact.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace switchyard::cli {

struct PackedFolder {
  std::string sha256;  // Of the tar.
  int64_t size_bytes = 0;
  uint64_t files = 0;
};

// Writes `folder`'s content into the new file `tar`. Links to files are packed as the files they
// name; a link to a folder and anything that is no file are refused by name (INVALID_ARGUMENT), as
// is a folder without files. Blocks.
absl::StatusOr<PackedFolder> PackFolder(const std::string& folder, const std::string& tar);

// SHA-256 and length of a file.
absl::StatusOr<PackedFolder> HashFile(const std::string& file);

}  // namespace switchyard::cli
