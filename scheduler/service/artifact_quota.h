// How many bytes of artifacts a tenant may still store.
//
// What is asked for is set apart until it is stored, so that uploads at the same time do not pass
// together where one alone would. What jobs make is never refused and is seen in the sum.
//
// Thread-safe. Methods that read the store block; a tenant without a quota costs no read.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "common/sync/mutex.h"
#include "scheduler/store/job_store.h"
#include "switchyard/config/v1/scheduler.pb.h"

namespace switchyard::scheduler {

class ArtifactQuota {
 public:
  // `store` is borrowed.
  ArtifactQuota(const config::v1::SchedulerConfig& config, JobStore& store);

  // 0: none.
  int64_t QuotaOf(const std::string& tenant) const;
  // Bytes that still fit; negative: no quota. RESOURCE_EXHAUSTED (reason ARTIFACT_QUOTA), with the
  // numbers, when `size_bytes` more do not.
  absl::StatusOr<int64_t> Check(const std::string& tenant, int64_t size_bytes);
  // As Check, and sets `size_bytes` apart until Release. After an error nothing is set apart.
  absl::Status Reserve(const std::string& tenant, int64_t size_bytes);
  void Release(const std::string& tenant, int64_t size_bytes);

 private:
  absl::StatusOr<int64_t> CheckWith(const std::string& tenant, int64_t reserved,
                                    int64_t size_bytes);
  int64_t Reserved(const std::string& tenant);

  std::map<std::string, int64_t> quotas_;
  JobStore& store_;
  Mutex mutex_;
  std::map<std::string, int64_t> reserved_ GUARDED_BY(mutex_);
};

}  // namespace switchyard::scheduler
