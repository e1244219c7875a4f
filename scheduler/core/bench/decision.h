// How long the core takes to decide: submit, place and complete one job, beside so many others that
// wait.
//
// Its own library, called by the bench binary and by anybody who wants the figure. What is measured
// is the core alone: no store, no network. Single-threaded.
#pragma once

#include <cstdint>
#include <functional>

namespace switchyard::scheduler {

struct DecisionBenchOptions {
  uint64_t queued = 1'000'000;  // Jobs waiting all the time.
  uint32_t workers = 10'000;    // Each with a `cpu` device, all of whose places are taken.
  uint32_t tenants = 100;
  uint32_t decisions = 200'000;  // Measured, after as many tenths to warm up.
  uint32_t per_drain = 1;        // Decisions in one Advance.
  uint64_t seed = 1;
  std::function<int64_t()> now_ns;          // A steady clock. Required.
  std::function<int64_t()> resident_bytes;  // Memory of this process; null: not measured.
};

struct DecisionBenchResult {
  double decision_us = 0;  // Mean over the measured decisions.
  double bytes_per_queued_job =
      0;                // Growth of resident memory while the queue was filled, per job.
  uint64_t placed = 0;  // Assignments in the measured part; equals its decisions.
};

DecisionBenchResult MeasureDecisions(const DecisionBenchOptions& options);

}  // namespace switchyard::scheduler
