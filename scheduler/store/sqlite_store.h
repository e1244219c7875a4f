// The embedded JobStore: one SQLite file in a folder that one process owns by an OS lock.
// Write-ahead log, every commit synced.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "scheduler/store/job_store.h"

namespace switchyard::scheduler {

struct SqliteStoreOptions {
  std::string directory;  // Made when missing, mode 0700. The file is DIRECTORY/switchyard.db.
  int readers = 4;        // Read connections; a read waits while all are busy. REQUIRES: > 0.
  // False: the log is moved into the file by the committing thread alone, which tests that count
  // threads want.
  bool background_checkpoint = true;
};

// Locks the folder for the life of the store, opens the file, brings its schema up to date.
// FAILED_PRECONDITION naming the folder when another process has it or a newer version wrote it.
absl::StatusOr<std::unique_ptr<JobStore>> OpenSqliteStore(const SqliteStoreOptions& options);

}  // namespace switchyard::scheduler
