// The schema of the PostgreSQL store as numbered migrations: the tables of the SQLite store, in a
// schema of their own. A migration is never changed once released; a new one is appended.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "scheduler/store/postgres/connection.h"

namespace switchyard::scheduler {

// Brings the schema `name` (made when missing) to the newest version, one transaction a migration;
// schedulers that start at once wait for each other. FAILED_PRECONDITION when a newer version of
// the software wrote it.
absl::Status MigratePostgres(PostgresConnection& connection, const std::string& name);

}  // namespace switchyard::scheduler
