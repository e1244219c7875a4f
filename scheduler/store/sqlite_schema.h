// The schema of the SQLite store as numbered migrations. A migration is never changed once
// released; a new one is appended.
#pragma once

#include "absl/status/status.h"
#include "scheduler/store/sqlite_database.h"

namespace switchyard::scheduler {

// Brings `database` to the newest schema, one transaction a migration. FAILED_PRECONDITION when it
// was written by a newer version of the software.
absl::Status MigrateSqlite(SqliteDatabase& database);

}  // namespace switchyard::scheduler
