// Makes traces shaped on a published workload, of any length, for a cluster and a load.
//
// Offered load is the work that comes in the time in which it comes, over what the cluster can do
// in that time: at 1.0 jobs bring as much as all devices together can run. The generator adds up
// the work of the very jobs it will give (two passes over the same random numbers, nothing is kept)
// and spreads their arrivals over the time that makes the load exact.
//
// The same options give the same jobs. Not thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "scheduler/trace/trace_job.h"

namespace switchyard::scheduler {

struct GeneratorOptions {
  std::string workload = "philly";  // FindWorkload's name.
  uint64_t jobs = 50'000;
  uint64_t devices = 512;  // Of the cluster that the load is offered to.
  double load = 0.9;       // Above 0.
  uint64_t seed = 1;
  int64_t device_memory_bytes = int64_t{24} << 30;  // What jobs' memory is a share of.
};

// INVALID_ARGUMENT: unknown workload, nothing to generate, a load that is none.
absl::StatusOr<std::unique_ptr<TraceSource>> GenerateTrace(const GeneratorOptions& options);

}  // namespace switchyard::scheduler
