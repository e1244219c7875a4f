// Uploads in parts in a bucket. Each part is an object; completing reads each once for the hash and
// has the service copy it, so the bytes pass here twice and are never kept here.
#pragma once

#include <memory>

#include "common/artifacts/artifact_uploads.h"
#include "common/artifacts/s3/s3_client.h"
#include "common/artifacts/s3/s3_layout.h"

namespace switchyard {

// `client` and `layout` outlive it.
std::unique_ptr<ArtifactUploads> MakeS3Uploads(S3Client& client, const S3Layout& layout);

}  // namespace switchyard
