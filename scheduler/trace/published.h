// What was published of real GPU clusters' work, as numbers a generator can draw from.
//
// Each constant in published.cc names the paper and the figure it was read from. What no paper
// gives (priorities, declared limits, memory) is chosen here, once, for all three, and said to be:
// docs/simulate.md lists it.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "scheduler/trace/distribution.h"

namespace switchyard::scheduler {

struct Workload {
  std::string name;
  std::string source;
  // Jobs by the number of devices they need at once, and how long jobs of that size run.
  struct Size {
    uint32_t devices;
    double share;      // Of all jobs.
    uint32_t runtime;  // Index into `runtimes`.
  };
  std::vector<Size> sizes;
  std::vector<Quantiles> runtimes;  // Seconds.
  std::vector<double> tenants;      // Weights of their numbers of jobs.
  std::array<double, 24> hours;     // Arrivals by hour of the day, relative to the mean.
  double failed = 0;                // Share of jobs that end without success.
  double recurring = 0;             // Share of jobs that repeat an earlier one.
};

// `philly`, `helios` or `pai`; null: no such workload.
const Workload* FindWorkload(absl::string_view name);
std::vector<std::string> WorkloadNames();

}  // namespace switchyard::scheduler
