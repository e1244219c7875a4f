#include "scheduler/service/stored_references.h"

namespace switchyard::scheduler {
namespace {

constexpr size_t kMostCached = 1024;

}  // namespace

absl::StatusOr<bool> StoredReferences::HasArtifact(absl::string_view tenant,
                                                   absl::string_view sha256) {
  const auto reference = store_.FindArtifactReference(tenant, sha256);
  if (!reference.ok()) return reference.status();
  return reference->has_value();
}

absl::StatusOr<std::optional<v1::ModelVersion>> StoredReferences::FindModel(
    absl::string_view tenant, absl::string_view name, uint32_t version) {
  const Key key(std::string(tenant), std::string(name), version);
  if (version != 0) {
    MutexLock lock(mutex_);
    const auto cached = versions_.find(key);
    if (cached != versions_.end()) return std::optional<v1::ModelVersion>(cached->second);
  }
  const absl::StatusOr<ModelVersionRow> row = store_.GetModelVersion(tenant, name, version);
  if (absl::IsNotFound(row.status())) return std::optional<v1::ModelVersion>();
  if (!row.ok()) return row.status();
  v1::ModelVersion model;
  if (!model.ParseFromString(row->bytes))
    return absl::DataLossError("a stored model version cannot be read");
  if (version != 0) {
    MutexLock lock(mutex_);
    if (versions_.size() >= kMostCached) versions_.clear();
    versions_[key] = model;
  }
  return std::optional<v1::ModelVersion>(std::move(model));
}

}  // namespace switchyard::scheduler
