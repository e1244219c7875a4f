// Artifacts: immutable bytes named by their SHA-256 (64 lower-case hex digits). This is the port; a
// folder is the embedded default, a bucket of an S3 service the other (open_store.h). Access
// control is not here: who may read a hash is the scheduler's reference rows.
//
// Every read is checked: the whole by its hash, a range by the CRC-32C of its blocks of 1 MiB,
// which are written beside the bytes. A stream takes at most some 16 MiB of memory, whatever the
// length of the artifact.
//
// Thread-safe, and safe for several processes on one store. Writers and readers are used by one
// thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

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

// Which bytes of an artifact are wanted.
struct ByteRange {
  int64_t offset =
      0;  // Negative: so many bytes before the end (from the first, if there are fewer).
  int64_t length = 0;  // 0: to the end. What is more than there is, is cut.
};

// Bytes on their way out.
class ArtifactReader {
 public:
  virtual ~ArtifactReader() = default;
  // Of the whole artifact.
  virtual int64_t size_bytes() const = 0;
  // Where the first byte read stands in the whole, and how many Read gives altogether.
  virtual int64_t offset() const = 0;
  virtual int64_t range_bytes() const = 0;
  // Next bytes, at most `max_bytes` (> 0); empty at the end. DATA_LOSS, naming artifact and place,
  // when bytes are not the ones that were stored; of a whole artifact this is told in place of its
  // last bytes at the latest.
  virtual absl::StatusOr<std::string> Read(int64_t max_bytes) = 0;
};

// What a store holds under one hash.
struct StoredArtifact {
  std::string sha256;
  int64_t size_bytes = 0;
  absl::Time stored;  // When it was last stored, by the store's clock; a touch may not show.
};

class ArtifactUploads;  // artifact_uploads.h

class ArtifactStore {
 public:
  virtual ~ArtifactStore() = default;
  // `expected_sha256`, where it is known, spares some stores work, and Finish checks it.
  virtual absl::StatusOr<std::unique_ptr<ArtifactWriter>> Create(
      absl::string_view expected_sha256) = 0;
  absl::StatusOr<std::unique_ptr<ArtifactWriter>> Create() { return Create(""); }
  // NOT_FOUND when there is no such artifact; INVALID_ARGUMENT when `sha256` is not 64 lower-case
  // hex digits; OUT_OF_RANGE when the range begins behind the end.
  virtual absl::StatusOr<std::unique_ptr<ArtifactReader>> Open(absl::string_view sha256,
                                                               ByteRange range) = 0;
  absl::StatusOr<std::unique_ptr<ArtifactReader>> Open(absl::string_view sha256) {
    return Open(sha256, ByteRange{});
  }

  // --- sweeping ---
  //
  // Bytes nobody refers to are found by List and removed by Remove. Storing and removing the same
  // bytes at the same time is safe: when a Finish succeeded, the bytes are there, and Remove leaves
  // them, because they were stored just now. Who lets go of the last reference calls Touch first.

  // At most `max_artifacts` (> 0), by hash, of those after the hash `after`; fewer only at the end.
  virtual absl::StatusOr<std::vector<StoredArtifact>> List(absl::string_view after,
                                                           int max_artifacts) = 0;
  // Makes `stored` now. Touching what is not there succeeds.
  virtual absl::Status Touch(absl::string_view sha256) = 0;
  // Removes an artifact that was last stored or touched before `stored_before`; false: it was not,
  // or there is none.
  virtual absl::StatusOr<bool> Remove(absl::string_view sha256, absl::Time stored_before) = 0;

  // Lives as long as the store.
  virtual ArtifactUploads& uploads() = 0;
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
// fsync of file and folder; DIR/uploads holds parts. Makes DIR when missing.
absl::StatusOr<std::unique_ptr<ArtifactStore>> OpenDirectoryStore(const std::string& directory);

// INVALID_ARGUMENT (reason HASH_MISMATCH) unless `expected_sha256` is empty or that of `info`.
absl::Status CheckHash(const ArtifactInfo& info, absl::string_view expected_sha256);

}  // namespace switchyard
