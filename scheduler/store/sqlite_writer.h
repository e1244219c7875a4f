// The writing half of the SQLite store: the one connection that changes the file.
//
// Thread-safety: one thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "scheduler/store/job_store.h"
#include "scheduler/store/sqlite_database.h"

namespace switchyard::scheduler {

class SqliteWriter {
 public:
  // Makes and migrates the file.
  static absl::StatusOr<std::unique_ptr<SqliteWriter>> Open(const std::string& path);

  // As in JobStore.
  absl::StatusOr<uint64_t> BumpEpoch();
  absl::Status Commit(uint64_t epoch, const WriteBatch& batch);
  absl::StatusOr<int> RemoveExpiredRequests(int64_t now_ms, int max_scanned);

  // Pages in the write-ahead log after the last commit.
  int log_pages() const { return log_pages_; }

 private:
  explicit SqliteWriter(SqliteDatabase database) : database_(std::move(database)) {}
  absl::Status PrepareAll();
  // Runs `body` between BEGIN and COMMIT; rolls back what fails.
  template <typename Body>
  absl::Status Transaction(Body body);
  absl::Status CheckEpoch(uint64_t epoch);
  absl::Status Write(const WriteBatch& batch);
  absl::Status Insert(const JobRow& row);
  absl::Status Update(const JobUpdate& row);
  absl::Status Delete(const std::vector<JobId>& ids);
  absl::Status Insert(const RequestRow& row);
  absl::Status Insert(const ModelVersionRow& row);
  absl::Status Insert(const ArtifactReferenceRow& row);
  absl::Status Replace(const std::vector<LimitRow>& limits);
  absl::Status Write(const DocumentWrite& write);

  SqliteDatabase database_;
  SqliteStatement begin_, commit_, rollback_;
  SqliteStatement get_epoch_, set_epoch_;
  SqliteStatement insert_job_, update_job_, delete_job_, raise_deleted_;
  SqliteStatement insert_request_, expired_requests_, delete_request_;
  SqliteStatement insert_model_, insert_artifact_, release_artifact_, clear_limits_, insert_limit_;
  SqliteStatement put_document_, delete_document_;
  int log_pages_ = 0;
  int64_t expiry_cursor_ = 0;  // Number of the last request row the clean-up looked at.
};

}  // namespace switchyard::scheduler
