// Values on their way from jobs that have succeeded into a job that is about to begin.
//
// Thread-safe: pure functions.
#pragma once

#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "scheduler/pipeline/field_path.h"
#include "switchyard/storage/v1/job_record.pb.h"
#include "switchyard/v1/job.pb.h"

namespace switchyard::scheduler {

// The values at `path` in the job's result; none when it has no such result.
std::vector<FieldValue> ReadResult(const v1::Job& job, absl::string_view path);

// Puts the values of all wires into `job`. `upstream` gives the jobs of a dependency by its number,
// in order, with kind, result and outputs. INVALID_ARGUMENT naming field and job when a value is
// not there or does not fit.
absl::Status ApplyWires(
    const storage::v1::WiringRecord& wiring,
    absl::FunctionRef<absl::StatusOr<std::vector<v1::Job>>(uint32_t dependency)> upstream,
    v1::Job& job);

}  // namespace switchyard::scheduler
