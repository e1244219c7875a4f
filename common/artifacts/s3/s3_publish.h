// What every way of storing bytes in a bucket ends with. Thread-safe; blocks.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "common/artifacts/s3/s3_client.h"
#include "common/artifacts/s3/s3_layout.h"

namespace switchyard {

// REQUIRES: the bytes of `sha256` were stored just now. True: they are there to stay. False: a
// remover that had begun before took them; they must be stored again.
absl::StatusOr<bool> StayedAfterStoring(S3Client& client, const S3Layout& layout,
                                        absl::string_view sha256);

// The same for who cannot store them again: UNAVAILABLE (reason ARTIFACT_SWEPT) instead of false.
absl::Status RequireStayed(S3Client& client, const S3Layout& layout, absl::string_view sha256);

// Removes an artifact as ArtifactStore::Remove says.
absl::StatusOr<bool> RemoveFromBucket(S3Client& client, const S3Layout& layout,
                                      absl::string_view sha256, absl::Time stored_before);

}  // namespace switchyard
