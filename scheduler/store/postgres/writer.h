// The writing half of the PostgreSQL store: the one connection that changes the tables. A commit is
// one pipeline: a statement for each kind of row, whatever the number of rows.
//
// Thread-safety: one thread at a time. A lost connection is opened anew by the next call.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "scheduler/store/job_store.h"
#include "scheduler/store/postgres/connection.h"
#include "scheduler/store/postgres/postgres_store.h"

namespace switchyard::scheduler {

class PostgresWriter {
 public:
  // Makes and migrates the schema.
  static absl::StatusOr<std::unique_ptr<PostgresWriter>> Open(const PostgresStoreOptions& options);

  // As in JobStore.
  absl::StatusOr<uint64_t> BumpEpoch();
  absl::Status Commit(uint64_t epoch, const WriteBatch& batch);
  absl::StatusOr<int> RemoveExpiredRequests(int64_t now_ms, int max_scanned);

 private:
  PostgresWriter(PostgresStoreOptions options, PostgresConnection connection)
      : options_(std::move(options)), connection_(std::move(connection)) {}
  absl::Status Connect();

  const PostgresStoreOptions options_;
  PostgresConnection connection_;
  int64_t expiry_cursor_ = 0;  // Number of the last request row the clean-up looked at.
};

}  // namespace switchyard::scheduler
