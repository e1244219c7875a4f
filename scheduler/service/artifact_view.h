// Artifact references as callers see them. Thread-safe: pure functions.
#pragma once

#include "absl/status/status.h"
#include "scheduler/store/job_store.h"
#include "switchyard/v1/artifact_service.pb.h"

namespace switchyard::scheduler {

void Show(const ArtifactReferenceRow& row, v1::Artifact* artifact);

// INVALID_ARGUMENT, field sha256.
absl::Status BadArtifactHash();

}  // namespace switchyard::scheduler
