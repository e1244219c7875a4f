// Durable noop jobs, measured from a client in this process to servers in others. Every result is
// read back and checked.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace switchyard::bench {

struct BatchOptions {
  uint64_t jobs = 200'000;
  uint32_t jobs_per_call = 1000;
  uint32_t calls_at_once = 4;
};

// Jobs a second, from the first submit to the last result read.
absl::StatusOr<double> MeasureBatches(const std::string& server, const BatchOptions& options);

struct SingleOptions {
  uint64_t jobs = 60'000;
  uint32_t callers = 64;  // Calls outstanding, one job a call.
  uint32_t channels = 1;  // Connections they share.
};

absl::StatusOr<double> MeasureSingles(const std::string& server, const SingleOptions& options);

// Times from submit to result seen on an open WatchResults stream, in milliseconds, one job at a
// time.
absl::StatusOr<std::vector<double>> MeasureRoundTrips(const std::string& server, uint64_t jobs);

// Only submits, in batches; reads nothing back. For filling a queue.
absl::Status SubmitBatches(const std::string& server, const BatchOptions& options);

}  // namespace switchyard::bench
