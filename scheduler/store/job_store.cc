#include "scheduler/store/job_store.h"

#include "absl/strings/str_cat.h"
#include "common/status/error.h"

namespace switchyard::scheduler {

bool WriteBatch::empty() const { return rows() == 0; }

size_t WriteBatch::rows() const {
  return inserts.size() + updates.size() + deletes.size() + requests.size() +
         model_versions.size() + released_artifacts.size() + artifact_references.size() +
         documents.size() + (limits.has_value() ? 1 : 0);
}

void WriteBatch::Clear() {
  inserts.clear();
  updates.clear();
  deletes.clear();
  requests.clear();
  model_versions.clear();
  released_artifacts.clear();
  artifact_references.clear();
  limits.reset();
  documents.clear();
}

absl::Status ModelNotFound(absl::string_view model, uint32_t version) {
  if (version == 0) return NotFound("model", model);
  return NotFound("model", absl::StrCat(model, " version ", version));
}

}  // namespace switchyard::scheduler
