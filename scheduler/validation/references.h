// What a well-formed job refers to: artifacts of its tenant and registered models. Checked at
// submit, so that a job that cannot run is refused while its sender listens; model names are
// resolved to versions, so that a stored job says what it runs with.
#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "scheduler/validation/field_faults.h"
#include "switchyard/v1/job.pb.h"
#include "switchyard/v1/model_service.pb.h"

namespace switchyard::scheduler {

// Where references are looked up. Thread-safety is the implementation's; may block on reads.
class ReferenceSource {
 public:
  virtual ~ReferenceSource() = default;
  // True when `tenant` has a reference to the artifact.
  virtual absl::StatusOr<bool> HasArtifact(absl::string_view tenant, absl::string_view sha256) = 0;
  // Version 0: the latest. Nothing when there is no such version.
  virtual absl::StatusOr<std::optional<v1::ModelVersion>> FindModel(absl::string_view tenant,
                                                                    absl::string_view name,
                                                                    uint32_t version) = 0;
};

// Whether `job` has references at all: without any, ResolveReferences never blocks.
bool RefersToAnything(const v1::Job& job);

// Resolves the references of `job` in place: `predict.version`, `train.from_model`. NOT_FOUND names
// the path and the thing (the model or artifact); INVALID_ARGUMENT when the initial weights are of
// another architecture; errors of the source as they are. REQUIRES: NormalizeJob found nothing
// wrong with it.
absl::Status ResolveReferences(absl::string_view tenant, const FieldFaults& faults,
                               ReferenceSource& source, v1::Job& job);

}  // namespace switchyard::scheduler
