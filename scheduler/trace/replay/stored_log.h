// Reads the jobs a scheduler stored, in SQLite or PostgreSQL, as a trace that can be run again.
// Blocks on disk or network; may run beside the scheduler that writes them.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "scheduler/trace/job_log.h"

namespace switchyard::scheduler {

// `where`: the data folder of `switchyard up`, that of a scheduler, the file itself, or the URI of a
// database (postgres_log.h). NOT_FOUND: there is no store. UNAVAILABLE: the database cannot be
// reached. DATA_LOSS naming a job whose row is damaged. FAILED_PRECONDITION: no job ran.
absl::StatusOr<JobLog> ReadStoredLog(const std::string& where);

}  // namespace switchyard::scheduler
