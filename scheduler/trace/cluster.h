// The cluster that every policy of a comparison is given, and what all are told about kinds of
// work.
//
// Its model, for all alike: `workers` machines with so many equal devices each; a device runs as
// many attempts of a class at once as its limit says (policy/limits.h: one training); a job holds
// its devices from start to end and runs as fast wherever they are; starting, stopping and speaking
// with workers take no time, but a preempted job loses `restart_us` each time; nothing breaks.
// Values; thread-compatible.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "scheduler/core/config.h"
#include "scheduler/core/types.h"

namespace switchyard::scheduler {

struct Cluster {
  uint32_t workers = 64;
  uint32_t devices_per_worker = 8;
  bool gpus = true;  // Else each worker has one device, `cpu`.
  int64_t device_memory_bytes = int64_t{24} << 30;
  // What a preempted job loses: writing a checkpoint, starting again, being where it was.
  int64_t restart_us = 60'000'000;
  std::vector<LimitRule> limits;
  std::map<std::string, uint32_t> weights;  // Of tenants; missing: 1.
  std::vector<KindConfig> kinds;            // A trace's kinds are looked up here by name.

  uint64_t devices() const { return uint64_t{workers} * devices_per_worker; }
};

std::string WorkerName(uint32_t worker);                          // From 0.
std::string DeviceName(const Cluster& cluster, uint32_t device);  // `cuda:N`, from 0; `cpu`.

// Attempts of a class that the cluster runs at once.
uint64_t SlotsOf(const Cluster& cluster, JobClass job_class);

// What its submitter declared, or its kind's default; kNever where there is neither.
int64_t DeclaredLimitUs(int64_t timeout_us, const KindConfig& kind);

// Null: no such kind.
const KindConfig* FindKindConfig(const Cluster& cluster, const std::string& name);

}  // namespace switchyard::scheduler
