// The JobStore for installations past one machine: tables in a PostgreSQL database (15 or newer).
// One connection writes, a pool of them reads; lost ones are opened anew.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "scheduler/store/job_store.h"

namespace switchyard::scheduler {

struct PostgresStoreOptions {
  // Connection string or URI as libpq takes it: `postgresql://USER@HOST/DATABASE?sslmode=...`. The
  // password may come from ~/.pgpass or PGPASSWORD.
  std::string uri;
  std::string schema = "switchyard";  // Made when missing. Letters, digits and `_`.
  int readers = 4;  // Read connections; a read waits while all are busy. REQUIRES: > 0.
};

// Connects and brings the schema up to date. UNAVAILABLE when the server cannot be reached;
// FAILED_PRECONDITION when a newer version of the software wrote the schema; INVALID_ARGUMENT for a
// bad schema name.
absl::StatusOr<std::unique_ptr<JobStore>> OpenPostgresStore(const PostgresStoreOptions& options);

}  // namespace switchyard::scheduler
