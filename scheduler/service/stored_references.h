// What jobs refer to, looked up in the store. Thread-safe; blocks on reads.
#pragma once

#include <map>
#include <string>
#include <tuple>

#include "common/sync/mutex.h"
#include "scheduler/store/job_store.h"
#include "scheduler/validation/references.h"

namespace switchyard::scheduler {

class StoredReferences final : public ReferenceSource {
 public:
  // `store` is borrowed.
  explicit StoredReferences(JobStore& store) : store_(store) {}

  absl::StatusOr<bool> HasArtifact(absl::string_view tenant, absl::string_view sha256) override;
  absl::StatusOr<std::optional<v1::ModelVersion>> FindModel(absl::string_view tenant,
                                                            absl::string_view name,
                                                            uint32_t version) override;

 private:
  using Key = std::tuple<std::string, std::string, uint32_t>;

  JobStore& store_;
  Mutex mutex_;
  std::map<Key, v1::ModelVersion> versions_
      GUARDED_BY(mutex_);  // Versions never change; "latest" is not kept.
};

}  // namespace switchyard::scheduler
