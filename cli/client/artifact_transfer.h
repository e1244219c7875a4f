// Artifacts up and down, over connections that break: what is large goes up in parts, and a
// transfer that was interrupted goes on where it was, in this run of the program or in the next
// one.
//
// Thread-compatible; blocks.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "grpcpp/client_context.h"
#include "switchyard/v1/artifact_service.grpc.pb.h"

namespace switchyard::cli {

class ArtifactTransfer {
 public:
  // `prepare` makes a context ready for a call without a deadline; `sleep` passes a pause. Both,
  // and `stub`, outlive this.
  ArtifactTransfer(v1::ArtifactService::StubInterface& stub,
                   std::function<void(grpc::ClientContext&)> prepare,
                   std::function<void(absl::Duration)> sleep)
      : stub_(stub), prepare_(std::move(prepare)), sleep_(std::move(sleep)) {}

  // Sends the file, whose hash is `sha256`. `on_progress` is told the bytes the server has so far.
  absl::StatusOr<v1::Artifact> Put(const std::string& file, const std::string& sha256,
                                   const std::string& media_type,
                                   const std::function<void(int64_t)>& on_progress);
  // Gives the bytes in order, each once. Stops with the callback's error. DATA_LOSS when what came
  // is not what was asked for.
  absl::Status Get(const std::string& sha256,
                   const std::function<absl::Status(const v1::GetArtifactResponse&)>& on_piece);

 private:
  absl::StatusOr<v1::Artifact> PutWhole(const std::string& file, const std::string& sha256,
                                        const std::string& media_type,
                                        const std::function<void(int64_t)>& on_progress);
  // One go: until it is done, or something breaks. `stored` says whether it came any further.
  absl::StatusOr<v1::Artifact> PutParts(const std::string& file,
                                        const v1::BeginUploadRequest& begin,
                                        const std::function<void(int64_t)>& on_progress,
                                        bool* stored);
  absl::Status PutPart(const std::string& file, const v1::ArtifactUpload& upload, uint32_t part);
  // False: it is not worth trying again.
  bool PauseBefore(int attempt, const absl::Status& status);

  v1::ArtifactService::StubInterface& stub_;
  const std::function<void(grpc::ClientContext&)> prepare_;
  const std::function<void(absl::Duration)> sleep_;
};

}  // namespace switchyard::cli
