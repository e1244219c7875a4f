// River (riverqueue.com), a job queue on PostgreSQL in Go, measured by the program in
// tests/bench/river.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "tests/bench/durable.h"

namespace switchyard::bench {

// Jobs a second, from the first insert to the last job's end in the database. Blocks.
absl::StatusOr<double> MeasureRiver(const std::string& program, const std::string& uri,
                                    const BatchOptions& options);

}  // namespace switchyard::bench
