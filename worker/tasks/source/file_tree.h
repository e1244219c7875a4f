// The files of one data source, wherever they are: a folder beneath a data root, an unpacked
// archive, or bytes in memory.
//
// Immutable; reading is thread-safe. Paths are relative, `/` between parts, UTF-8.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace switchyard::worker {

class FileTree {
 public:
  virtual ~FileTree() = default;
  // In the byte order of their paths.
  const std::vector<std::string>& files() const { return files_; }

  // NOT_FOUND names the path. Of a tree of one file, its neighbours can be asked for too.
  virtual absl::StatusOr<int64_t> Size(const std::string& path) const = 0;
  // At most `length` bytes from `offset`; fewer where the file ends.
  virtual absl::StatusOr<std::string> ReadRange(const std::string& path, int64_t offset,
                                                int64_t length) const = 0;

  // INVALID_ARGUMENT (reason FILE_TOO_LARGE) names the path when the file has more than
  // `max_bytes`.
  absl::StatusOr<std::string> Read(const std::string& path, int64_t max_bytes) const;

 protected:
  std::vector<std::string> files_;
};

// Bounds on what a source may hold. Made for untrusted archives.
struct SourceLimits {
  int64_t max_files = 1'000'000;
  int64_t max_bytes = int64_t{64} << 30;  // Unpacked.
  int max_depth = 32;
};

// Files by path, in memory.
std::unique_ptr<FileTree> MakeMemoryTree(std::map<std::string, std::string> files);

// The folder `descriptor` (taken over), walked at once: names that begin with a dot are left out,
// links are followed only to files beneath the folder. INVALID_ARGUMENT names a name that is not
// UTF-8 or a bound that is passed.
absl::StatusOr<std::unique_ptr<FileTree>> MakeFolderTree(int descriptor,
                                                         const SourceLimits& limits);
// The one file `name` of the folder `parent` (taken over).
std::unique_ptr<FileTree> MakeOneFileTree(int parent, const std::string& name);

}  // namespace switchyard::worker
