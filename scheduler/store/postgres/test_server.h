// One PostgreSQL server for all tests of this process, each test in a schema of its own.
#pragma once

#include "scheduler/store/postgres/postgres_store.h"
#include "scheduler/store/postgres/testing/postgres_server.h"

namespace switchyard::scheduler {

// Null where PostgreSQL is not installed: every test is skipped then. Valid while tests run.
PostgresServer* const& TestServer();

PostgresStoreOptions NewTestSchema();

}  // namespace switchyard::scheduler
