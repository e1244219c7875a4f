// Artifacts: immutable bytes named by their SHA-256 (64 lower-case hex digits). This is the port;
// DirectoryStore is the embedded default, S3 has its place beside it. Access control is not here:
// who may read a hash is the scheduler's reference rows.
//
// Thread-safe, and safe for several processes on one store. Writers and readers are used by one
// thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace switchyard {

struct ArtifactInfo {
  std::string sha256;
  int64_t size_bytes = 0;
};

// Bytes on their way in. Dropped without a trace when destroyed before Finish.
class ArtifactWriter {
 public:
  virtual ~ArtifactWriter() = default;
  // RESOURCE_EXHAUSTED (reason DISK_FULL) when there is no room; the writer is then useless.
  virtual absl::Status Append(absl::string_view data) = 0;
  // Syncs and publishes. With `expected_sha256` not empty: INVALID_ARGUMENT (reason HASH_MISMATCH),
  // nothing published, when the bytes have another hash. Publishing what is there already succeeds.
  virtual absl::StatusOr<ArtifactInfo> Finish(absl::string_view expected_sha256) = 0;
};

// Bytes on their way out.
class ArtifactReader {
 public:
  virtual ~ArtifactReader() = default;
  virtual int64_t size_bytes() const = 0;
  // Next bytes, at most `max_bytes` (> 0); empty at the end. DATA_LOSS at the end when the whole
  // did not have its hash.
  virtual absl::StatusOr<std::string> Read(int64_t max_bytes) = 0;
};

class ArtifactStore {
 public:
  virtual ~ArtifactStore() = default;
  virtual absl::StatusOr<std::unique_ptr<ArtifactWriter>> Create() = 0;
  // NOT_FOUND when there is no such artifact; INVALID_ARGUMENT when `sha256` is not 64 lower-case
  // hex digits.
  virtual absl::StatusOr<std::unique_ptr<ArtifactReader>> Open(absl::string_view sha256) = 0;
};

// Whole small artifacts.
absl::StatusOr<ArtifactInfo> PutBytes(ArtifactStore& store, absl::string_view bytes);
// RESOURCE_EXHAUSTED when it is larger than `max_bytes`.
absl::StatusOr<std::string> GetBytes(ArtifactStore& store, absl::string_view sha256,
                                     int64_t max_bytes);
// Streams an artifact into the new file `path` / a file into the store.
absl::Status FetchToFile(ArtifactStore& store, absl::string_view sha256, const std::string& path);
absl::StatusOr<ArtifactInfo> PutFile(ArtifactStore& store, const std::string& path);

// DIR/ab/cdef...: two hex digits of folder; temporary files in DIR/tmp are renamed into place after
// fsync of file and folder. Makes DIR when missing.
absl::StatusOr<std::unique_ptr<ArtifactStore>> OpenDirectoryStore(const std::string& directory);

}  // namespace switchyard
