// Reads the jobs a scheduler stored in PostgreSQL, for ReadStoredLog. Blocks on the network; reads
// only, and brings no schema up to date.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "scheduler/trace/job_log.h"

namespace switchyard::scheduler {

// Whether `where` is a connection URI or string (`host=... dbname=...`) rather than a path.
bool NamesPostgres(absl::string_view where);

// Adds every job and gives the limits in force. `where`: a connection URI or string as libpq takes
// it; what follows a `#` is the schema (default `switchyard`). UNAVAILABLE: the server cannot be
// reached.
absl::StatusOr<std::vector<LimitRule>> ReadPostgresLog(const std::string& where,
                                                       JobLogBuilder& builder);

}  // namespace switchyard::scheduler
