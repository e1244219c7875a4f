#include "scheduler/store/job_store.h"

namespace switchyard::scheduler {

bool WriteBatch::empty() const { return rows() == 0; }

size_t WriteBatch::rows() const {
  return inserts.size() + updates.size() + deletes.size() + requests.size() + model_versions.size() +
         artifact_references.size() + (limits.has_value() ? 1 : 0);
}

void WriteBatch::Clear() {
  inserts.clear();
  updates.clear();
  deletes.clear();
  requests.clear();
  model_versions.clear();
  artifact_references.clear();
  limits.reset();
}

}  // namespace switchyard::scheduler
