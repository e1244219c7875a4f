// Traces as CSV files, read line by line.
//
// The first line names the columns, in any order: `arrival`, `duration` (seconds, fractions
// allowed; arrival from any zero, never falling), `devices`, `memory` (per device: bytes, or with
// KiB, MiB, GiB), `tenant`, `priority` (1 to 9) are required; `kind` (default `train`), `model`
// (what is run again and again has one name), `timeout` (seconds, the limit its submitter declared)
// and `outcome`
// (`ok`, `failed`) may be there. Empty optional fields are as if the column was not there. No
// quoting: a name holds no comma. Lines that are empty or begin with `#` are passed over.
//
// Not thread-safe.
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "scheduler/trace/trace_job.h"

namespace switchyard::scheduler {

// NOT_FOUND: no such file. INVALID_ARGUMENT: the first line does not name the columns. Later
// faults come from Next and name file, line, column and what was expected.
absl::StatusOr<std::unique_ptr<TraceSource>> OpenCsvTrace(const std::string& path);

// Writes a whole trace in that form, so that it can be looked at and given to others.
absl::Status WriteCsvTrace(TraceSource& trace, const std::string& path);

}  // namespace switchyard::scheduler
