// Unpacks archives of unknown origin: tar (plain or gzip) and zip, through libarchive.
//
// Only plain files and folders are taken. A link, device, absolute path or `..` refuses the whole
// archive, as do more files or bytes than allowed; sizes are counted on what really comes out, so a
// small file that unpacks to a large one is stopped at the bound. INVALID_ARGUMENT (reason
// BAD_ARCHIVE) names the entry. Thread-safe: pure functions.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "worker/tasks/source/file_tree.h"

namespace switchyard::worker {

// Judged by the first bytes (512 are enough).
bool LooksLikeArchive(absl::string_view first_bytes);

// Into the existing folder `directory`. `cancelled` is asked between blocks; true ends with
// CANCELLED. What was unpacked before an error stays. RESOURCE_EXHAUSTED (DISK_FULL) when the disk
// is full.
absl::Status UnpackArchive(const std::string& archive_path, const std::string& directory,
                           const SourceLimits& limits, const std::function<bool()>& cancelled);

// Small archives, in memory.
absl::StatusOr<std::map<std::string, std::string>> ReadArchive(absl::string_view bytes,
                                                               const SourceLimits& limits);

}  // namespace switchyard::worker
