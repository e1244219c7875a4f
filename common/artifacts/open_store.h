// The store a process is configured with.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/artifacts/artifact_store.h"
#include "switchyard/config/v1/artifact_store.pb.h"

namespace switchyard {

// Every fault of `s3`, each with its field's name in front, `artifact_s3` and all.
std::vector<std::string> FaultsOf(const config::v1::S3Store& s3);

// A bucket when `s3` has an endpoint, else the folder `directory`. Credentials come from the
// environment. INVALID_ARGUMENT naming every fault; else as OpenDirectoryStore and OpenS3Store.
absl::StatusOr<std::unique_ptr<ArtifactStore>> OpenArtifactStore(const std::string& directory,
                                                                 const config::v1::S3Store& s3);

}  // namespace switchyard
