// The LeaseStore in PostgreSQL: rows of the store's schema, on connections of its own. A lost
// connection is opened anew by the next call.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "scheduler/store/lease_store.h"
#include "scheduler/store/postgres/postgres_store.h"

namespace switchyard::scheduler {

// Does not connect yet. REQUIRES: OpenPostgresStore has succeeded with `options`, which made the
// tables. `patience`: how long a call waits for a server that does not answer, at most.
std::unique_ptr<LeaseStore> MakePostgresLeaseStore(const PostgresStoreOptions& options,
                                                   absl::Duration patience);

}  // namespace switchyard::scheduler
