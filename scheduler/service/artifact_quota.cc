#include "scheduler/service/artifact_quota.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/status/error.h"

namespace switchyard::scheduler {

ArtifactQuota::ArtifactQuota(const config::v1::SchedulerConfig& config, JobStore& store)
    : store_(store) {
  for (const config::v1::Tenant& tenant : config.tenants()) {
    if (tenant.artifact_bytes() == 0) continue;
    quotas_[tenant.name()] = static_cast<int64_t>(
        std::min<uint64_t>(tenant.artifact_bytes(), std::numeric_limits<int64_t>::max()));
  }
}

int64_t ArtifactQuota::QuotaOf(const std::string& tenant) const {
  const auto quota = quotas_.find(tenant);
  return quota == quotas_.end() ? 0 : quota->second;
}

int64_t ArtifactQuota::Reserved(const std::string& tenant) {
  MutexLock lock(mutex_);
  const auto reserved = reserved_.find(tenant);
  return reserved == reserved_.end() ? 0 : reserved->second;
}

// `reserved` was looked at before the sum is: what is set apart then is in one of both, or in both.
absl::StatusOr<int64_t> ArtifactQuota::CheckWith(const std::string& tenant, int64_t reserved,
                                                 int64_t size_bytes) {
  const int64_t quota = QuotaOf(tenant);
  const absl::StatusOr<ArtifactUse> use = store_.SumArtifactReferences(tenant);
  if (!use.ok()) return use.status();
  const int64_t free = std::max<int64_t>(0, quota - use->bytes - reserved);
  if (size_bytes <= free) return free;
  const std::string used = absl::StrCat(use->bytes + reserved), most = absl::StrCat(quota),
                    asked = absl::StrCat(size_bytes);
  return MakeError(
      absl::StatusCode::kResourceExhausted, "ARTIFACT_QUOTA",
      absl::StrCat("the artifacts of tenant ", tenant, " take ", used, " of ", most, " bytes; ",
                   asked, " more do not fit; delete some first"),
      {{"tenant", tenant}, {"used_bytes", used}, {"quota_bytes", most}, {"asked_bytes", asked}});
}

absl::StatusOr<int64_t> ArtifactQuota::Check(const std::string& tenant, int64_t size_bytes) {
  if (QuotaOf(tenant) == 0) return -1;
  // Even the smallest does not fit where there is no room at all.
  return CheckWith(tenant, Reserved(tenant), std::max<int64_t>(size_bytes, 1));
}

absl::Status ArtifactQuota::Reserve(const std::string& tenant, int64_t size_bytes) {
  if (QuotaOf(tenant) == 0) return absl::OkStatus();
  int64_t others;
  {
    MutexLock lock(mutex_);
    others = std::exchange(reserved_[tenant], reserved_[tenant] + size_bytes);
  }
  const absl::Status status = CheckWith(tenant, others, size_bytes).status();
  if (!status.ok()) Release(tenant, size_bytes);
  return status;
}

void ArtifactQuota::Release(const std::string& tenant, int64_t size_bytes) {
  if (QuotaOf(tenant) == 0) return;
  MutexLock lock(mutex_);
  const auto reserved = reserved_.find(tenant);
  reserved->second -= size_bytes;
  if (reserved->second == 0) reserved_.erase(reserved);
}

}  // namespace switchyard::scheduler
