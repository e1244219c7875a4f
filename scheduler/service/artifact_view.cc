#include "scheduler/service/artifact_view.h"

#include "common/status/error.h"

namespace switchyard::scheduler {

void Show(const ArtifactReferenceRow& row, v1::Artifact* artifact) {
  artifact->set_sha256(row.sha256);
  artifact->set_size_bytes(row.size_bytes);
  artifact->set_media_type(row.media_type);
  artifact->mutable_create_time()->set_seconds(row.create_ms / 1000);
  artifact->mutable_create_time()->set_nanos(
      static_cast<int32_t>(row.create_ms % 1000 * 1'000'000));
}

absl::Status BadArtifactHash() {
  return InvalidField("sha256", "must be a SHA-256: 64 lower-case hex digits");
}

}  // namespace switchyard::scheduler
