// Bytes on their way into a bucket: one part in memory at most.
#pragma once

#include <memory>
#include <string>

#include "common/artifacts/artifact_store.h"
#include "common/artifacts/s3/s3_client.h"
#include "common/artifacts/s3/s3_layout.h"

namespace switchyard {

// `client` and `layout` outlive it. `expected_sha256` may be empty.
std::unique_ptr<ArtifactWriter> MakeS3Writer(S3Client& client, const S3Layout& layout,
                                             absl::string_view expected_sha256);

}  // namespace switchyard
