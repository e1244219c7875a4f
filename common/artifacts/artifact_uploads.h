// Artifacts that come in parts, over any time and any number of connections and gateways: all that
// is known of an upload is in the store. An upload is named by who makes it and the hash it will
// have, so one that was interrupted is found again without remembering anything.
//
// All parts but the last have the same length. A part is there whole, and synced, or not at all.
//
// Thread-safe, and safe for several processes on one store.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/artifacts/artifact_store.h"

namespace switchyard {

// Names an upload.
struct UploadKey {
  std::string tenant;  // Of [a-zA-Z0-9_-], not empty: INVALID_ARGUMENT else.
  std::string sha256;
};

struct Upload {
  int64_t size_bytes = 0;  // Of the whole, > 0.
  int64_t part_bytes = 0;  // Of every part but the last.
  std::string media_type;
  std::vector<uint32_t> stored_parts;  // Ascending, from 1.

  uint32_t parts() const {
    return static_cast<uint32_t>((size_bytes + part_bytes - 1) / part_bytes);
  }
  // REQUIRES: 1 <= part <= parts().
  int64_t LengthOf(uint32_t part) const {
    return part < parts() ? part_bytes : size_bytes - (part - 1) * part_bytes;
  }
};

// A part on its way in. Dropped without a trace when destroyed before Finish.
class PartWriter {
 public:
  virtual ~PartWriter() = default;
  // INVALID_ARGUMENT (reason PART_LENGTH) when it is more than the part has; RESOURCE_EXHAUSTED
  // (reason DISK_FULL).
  virtual absl::Status Append(absl::string_view data) = 0;
  // Syncs and publishes the part. INVALID_ARGUMENT (reason PART_LENGTH) when bytes are missing.
  virtual absl::Status Finish() = 0;
};

class ArtifactUploads {
 public:
  virtual ~ArtifactUploads() = default;
  // Begins an upload, or tells of the one that was begun. FAILED_PRECONDITION (reason
  // UPLOAD_DIFFERS) when that has another length.
  virtual absl::StatusOr<Upload> Begin(const UploadKey& key, int64_t size_bytes,
                                       absl::string_view media_type) = 0;
  // NOT_FOUND (reason UPLOAD_NOT_FOUND).
  virtual absl::StatusOr<Upload> Find(const UploadKey& key) = 0;
  // NOT_FOUND without an upload; INVALID_ARGUMENT when it has no such part; ABORTED (reason
  // UPLOAD_BUSY) while it is being completed.
  virtual absl::StatusOr<std::unique_ptr<PartWriter>> CreatePart(const UploadKey& key,
                                                                 uint32_t part) = 0;
  // Publishes the whole as an artifact once its hash is checked; reads every byte once.
  // FAILED_PRECONDITION (reason PARTS_MISSING); INVALID_ARGUMENT (reason HASH_MISMATCH), and the
  // upload is dropped; ABORTED (reason UPLOAD_BUSY) while parts are written or another call works
  // on it. When this fails in another way the parts stay.
  virtual absl::StatusOr<ArtifactInfo> Complete(const UploadKey& key) = 0;
  // Dropping what is not there succeeds.
  virtual absl::Status Drop(const UploadKey& key) = 0;
  // Removes what no writer has touched since `before`: uploads, and what dead writers left. Gives
  // how many.
  virtual absl::StatusOr<int> RemoveAbandoned(absl::Time before) = 0;
};

// Length of parts for an upload of `size_bytes`: 8 MiB, more where that would make over 10,000.
int64_t PartBytesFor(int64_t size_bytes);
// INVALID_ARGUMENT unless both are of their form.
absl::Status CheckUploadKey(const UploadKey& key);

// The errors above.
absl::Status UploadNotFound(const UploadKey& key);
absl::Status UploadDiffers(const UploadKey& key, int64_t begun_bytes, int64_t asked_bytes);
absl::Status UploadBusy(const UploadKey& key);
absl::Status NoSuchPart(const Upload& upload, uint32_t part);
absl::Status WrongPartLength(uint32_t part, int64_t expected, int64_t got);
// OK when no part is missing.
absl::Status CheckAllStored(const Upload& upload);

// How an upload is described in the store: three lines. DATA_LOSS when `text` is none.
std::string DescribeUpload(const Upload& upload);
absl::StatusOr<Upload> ReadUploadDescription(const UploadKey& key, absl::string_view text);

}  // namespace switchyard
