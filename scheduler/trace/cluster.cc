#include "scheduler/trace/cluster.h"

#include "absl/strings/str_cat.h"
#include "scheduler/policy/limits.h"

namespace switchyard::scheduler {

std::string WorkerName(uint32_t worker) { return absl::StrCat("worker-", worker); }
std::string DeviceName(const Cluster& cluster, uint32_t device) {
  return cluster.gpus ? absl::StrCat("cuda:", device) : std::string("cpu");
}

uint64_t SlotsOf(const Cluster& cluster, JobClass job_class) {
  uint64_t slots = 0;
  for (uint32_t worker = 0; worker < cluster.workers; ++worker) {
    const std::string name = WorkerName(worker);
    if (job_class == JobClass::kGeneral) {
      slots += ResolveLimit(cluster.limits, name, "", job_class);
      continue;
    }
    for (uint32_t device = 0; device < cluster.devices_per_worker; ++device) {
      slots += ResolveLimit(cluster.limits, name, DeviceName(cluster, device), job_class);
    }
  }
  return slots;
}

int64_t DeclaredLimitUs(int64_t timeout_us, const KindConfig& kind) {
  return timeout_us != 0 ? timeout_us : kind.default_timeout_us;
}

const KindConfig* FindKindConfig(const Cluster& cluster, const std::string& name) {
  for (const KindConfig& kind : cluster.kinds) {
    if (kind.name == name) return &kind;
  }
  return nullptr;
}

}  // namespace switchyard::scheduler
