// What a service did: its jobs as a trace, the devices they ran on, the limits in force, and how it
// went. Made from stored jobs, so that they can be run again under other limits.
//
// Values and pure functions.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "scheduler/core/config.h"
#include "scheduler/core/image.h"
#include "scheduler/trace/run_meter.h"
#include "scheduler/trace/trace_job.h"

namespace switchyard::scheduler {

struct JobLog {
  std::vector<TraceJob> jobs;
  std::vector<std::string> tenants;
  std::vector<std::string> kinds;
  uint32_t workers = 0;             // That the log names.
  uint32_t devices_per_worker = 0;  // Most devices of one of them.
  bool gpus = false;                // Its devices are; else processors.
  std::vector<LimitRule> limits;    // As stored; those that name a worker are left out.
  uint64_t left_out = 0;            // Jobs that never started or have not ended.
  RunResult recorded;               // How it was: waits, completion, makespan.
};

// Takes the jobs in any order.
class JobLogBuilder {
 public:
  explicit JobLogBuilder(const std::vector<KindConfig>& kinds) : kinds_(kinds) {}

  void Add(const JobImage& image);
  // FAILED_PRECONDITION: there is no job in it that ran.
  absl::StatusOr<JobLog> Build();

 private:
  const std::vector<KindConfig>& kinds_;
  std::vector<JobImage> images_;
  uint64_t left_out_ = 0;
};

// Reads the log kept in a folder, file or database. Errors name it.
using OpenJobLog = std::function<absl::StatusOr<JobLog>(const std::string& path)>;

}  // namespace switchyard::scheduler
