// Where things lie in the folder of a store, and how they come there. Storing and removing the same
// bytes exclude each other by a lock on the folder of two hex digits: storers share it, a remover
// has it alone and looks at the time of the file while he has it.
//
// Thread-safe: no state.
#pragma once

#include <time.h>

#include <array>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/artifacts/file_io.h"

namespace switchyard {

// DIRECTORY/ab, DIRECTORY/ab/cdef..., and beside it `.sums` (block_sums.h).
std::string ShardOf(const std::string& directory, absl::string_view sha256);
std::string PathOf(const std::string& directory, absl::string_view sha256);
std::string SumsPathOf(const std::string& directory, absl::string_view sha256);

// Makes one folder; that it is there already is no error.
absl::Status MakeFolder(const std::string& folder);

// Holds the lock of a folder until it is destroyed.
absl::StatusOr<UniqueFd> LockFolder(const std::string& folder, int flock_operation);

// This moment, as access and modification time of a file. UTIME_NOW would be the time of the last
// tick, which may lie before something that the clock has already told.
std::array<timespec, 2> TimesOfNow();

// Moves the file `path`, open as `fd`, to where `sha256` lies, durably, with its sums (none when
// `sums` is empty) and with the time of now. What is there is replaced by the same bytes: that also
// heals a damaged file.
absl::Status PublishFile(const std::string& directory, const std::string& path, int fd,
                         absl::string_view sha256, absl::string_view sums);

// Writes a small file in the place of one that may be there, durably but for the folder's entry.
absl::Status ReplaceFile(const std::string& path, absl::string_view content);

}  // namespace switchyard
