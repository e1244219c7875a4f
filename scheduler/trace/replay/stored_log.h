// Reads the jobs a scheduler stored in SQLite, as a trace that can be run again. Blocks on disk;
// may run beside the scheduler that writes the file.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "scheduler/trace/job_log.h"

namespace switchyard::scheduler {

// `path`: the data folder of `switchyard up`, that of a scheduler, or the file itself. NOT_FOUND:
// there is no store. DATA_LOSS naming a job whose row is damaged. FAILED_PRECONDITION: no job ran.
absl::StatusOr<JobLog> ReadStoredLog(const std::string& path);

}  // namespace switchyard::scheduler
