// Artifacts in a bucket of an S3 service.
//
// Storing: what is at most one part is one PUT; more is a multipart upload to its own key when the
// hash is known before, else to a temporary key and copied. Storing and removing the same bytes: a
// remover first puts a mark, then looks at the times, then removes, then takes the mark away; a
// storer looks for the mark after its bytes are there, and if there is one waits until it is gone
// and looks whether its bytes still are. So either the remover sees the new time, or the storer
// sees the mark. (S3 is strongly consistent.)
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/artifacts/artifact_store.h"
#include "common/artifacts/s3/s3_client.h"

namespace switchyard {

// Looks once whether the bucket can be listed; errors are S3Client's. `prefix` without a slash at
// its end.
absl::StatusOr<std::unique_ptr<ArtifactStore>> OpenS3Store(S3ClientOptions options,
                                                           const std::string& prefix);

}  // namespace switchyard
