// Looking into a folder that an untrusted program wrote: every path is opened beneath it, no step
// of it may be a link (openat2 with RESOLVE_BENEATH and RESOLVE_NO_SYMLINKS), and opening never
// blocks on a pipe. Thread-safe: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/artifacts/file_io.h"

namespace switchyard::worker {

enum class EntryType { kMissing, kFile, kFolder, kOther };

// kOther: a link, a special file, or something behind a link.
EntryType TypeOf(const std::string& folder, const std::string& path);

// Names in byte order, without `.` and `..`.
absl::StatusOr<std::vector<std::string>> ListFolder(const std::string& folder,
                                                    const std::string& path);

struct OpenedFile {
  UniqueFd fd;
  uint64_t size_bytes = 0;
};
// A plain file, for reading. FAILED_PRECONDITION (OUTPUT_NOT_A_FILE) for anything else.
absl::StatusOr<OpenedFile> OpenFile(const std::string& folder, const std::string& path);

}  // namespace switchyard::worker
