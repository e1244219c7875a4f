// The files of a command's work folder: artifacts in, artifacts out, the checkpoint.
//
// After the program ran, the folder is hostile: everything is opened beneath it, without following
// a link at any step, and only plain files are read. Bytes are counted as they are read. Not
// thread-safe.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/artifacts/artifact_store.h"
#include "switchyard/v1/command.pb.h"
#include "switchyard/v1/job.pb.h"

namespace switchyard::worker {

class WorkFiles {
 public:
  // `folder` exists; `scratch` is for temporary files. At most `most_bytes` in, and as many out.
  // `cancelled` is asked between blocks; true ends a call with CANCELLED. `artifacts` outlives
  // this.
  WorkFiles(ArtifactStore& artifacts, std::string folder, std::string scratch, uint64_t most_bytes,
            std::function<bool()> cancelled);

  // Before the program runs. NOT_FOUND and INVALID_ARGUMENT name the input; RESOURCE_EXHAUSTED
  // (INPUT_TOO_LARGE, DISK_FULL).
  absl::Status Fetch(const ::switchyard::v1::CommandInput& input);

  // After it ran: the files that match, stored, in the byte order of their paths; a folder is
  // packed as a tar. FAILED_PRECONDITION (OUTPUT_MISSING, OUTPUT_TOO_LARGE, OUTPUT_NOT_A_FILE).
  absl::StatusOr<std::vector<::switchyard::v1::OutputArtifact>> Store(
      const ::switchyard::v1::CommandOutput& output);

  // The folder `checkpoint`: put back from an artifact; or stored as a tar, at any time. Store
  // gives an artifact with an empty hash when the folder holds no file.
  absl::Status RestoreCheckpoint(const std::string& sha256);
  absl::StatusOr<::switchyard::v1::OutputArtifact> StoreCheckpoint();

 private:
  struct Found {
    std::string path;
    bool folder = false;
  };
  absl::Status FetchTo(const std::string& sha256, const std::string& file);
  absl::Status Unpack(const std::string& sha256, const std::string& folder);
  absl::Status Match(const std::string& done, absl::string_view pattern, std::vector<Found>* found);
  absl::StatusOr<ArtifactInfo> StoreFile(const std::string& path);
  absl::StatusOr<ArtifactInfo> StoreFolder(const std::string& path, size_t* files);
  absl::Status Count(uint64_t bytes, uint64_t* total, absl::string_view reason) const;

  ArtifactStore& artifacts_;
  const std::string folder_;
  const std::string scratch_;
  const uint64_t most_bytes_;
  const std::function<bool()> cancelled_;
  uint64_t bytes_in_ = 0;
  uint64_t bytes_out_ = 0;
};

}  // namespace switchyard::worker
