// Uploads in parts in a folder: DIRECTORY/uploads/TENANT.HASH holds `about`, the sparse file `data`
// with every byte in its place, and an empty file for each part that is stored and synced, named by
// its number. So completing an upload reads its bytes once and copies none.
//
// Whoever writes a part shares the lock of `data`; who completes or drops has it alone.
#pragma once

#include <memory>
#include <string>

#include "common/artifacts/artifact_uploads.h"

namespace switchyard {

// Makes DIRECTORY/uploads when missing. REQUIRES: `directory` exists.
absl::StatusOr<std::unique_ptr<ArtifactUploads>> OpenDirectoryUploads(const std::string& directory);

}  // namespace switchyard
