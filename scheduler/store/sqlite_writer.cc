#include "scheduler/store/sqlite_writer.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "scheduler/store/row_checksum.h"
#include "scheduler/store/sqlite_schema.h"

namespace switchyard::scheduler {
namespace {

// Pages of 8 KiB: a thousand rows in a commit take a quarter less processor time than with 4 KiB,
// one row as much.
constexpr char kSetup[] = R"sql(
PRAGMA page_size = 8192;
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA cache_size = -65536;
PRAGMA temp_store = MEMORY;
)sql";

// The log is moved into the file by the store's own thread. Under steady load that thread never
// reaches the end of a log that grows meanwhile, so the log is only begun anew when the writer
// moves the rest itself: at this many pages, 64 MiB.
constexpr int kLongestLog = 8192;

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteWriter>> SqliteWriter::Open(const std::string& path) {
  absl::StatusOr<SqliteDatabase> database = SqliteDatabase::Open(path, /*read_only=*/false);
  if (!database.ok()) return database.status();
  std::unique_ptr<SqliteWriter> writer(new SqliteWriter(*std::move(database)));
  absl::Status status = writer->database_.Execute(kSetup);
  if (status.ok()) status = MigrateSqlite(writer->database_);
  writer->database_.WatchLog(&writer->log_pages_);
  if (status.ok()) status = writer->PrepareAll();
  if (!status.ok()) return status;
  return writer;
}

absl::Status SqliteWriter::PrepareAll() {
  const std::pair<SqliteStatement*, const char*> statements[] = {
      {&begin_, "BEGIN IMMEDIATE"},
      {&commit_, "COMMIT"},
      {&rollback_, "ROLLBACK"},
      {&get_epoch_, "SELECT value FROM meta WHERE name = 'epoch'"},
      {&set_epoch_, "UPDATE meta SET value = ?1 WHERE name = 'epoch'"},
      {&insert_job_, "INSERT INTO job VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)"},
      {&update_job_,
       "UPDATE job SET state = ?2, priority = ?3, end_ms = ?4, record_crc = ?5, record = ?6 WHERE "
       "id = ?1"},
      {&delete_job_, "DELETE FROM job WHERE id = ?1"},
      {&raise_deleted_, "UPDATE meta SET value = max(value, ?1) WHERE name = 'last_deleted_job'"},
      {&insert_request_,
       "INSERT INTO request VALUES (NULL, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"},
      {&expired_requests_,
       "SELECT number, expire_ms <= ?2 AND NOT EXISTS (SELECT 1 FROM job INDEXED BY job_live WHERE "
       "end_ms = 0 "
       "AND id >= first_job AND id < first_job + job_count) FROM request WHERE number > ?1 ORDER "
       "BY number LIMIT ?3"},
      {&delete_request_, "DELETE FROM request WHERE number = ?1"},
      {&insert_model_, "INSERT INTO model_version VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"},
      {&insert_artifact_,
       "INSERT OR IGNORE INTO artifact_reference VALUES (?1, ?2, ?3, ?4, ?5, ?6)"},
      {&release_artifact_, "DELETE FROM artifact_reference WHERE tenant = ?1 AND sha256 = ?2"},
      {&clear_limits_, "DELETE FROM class_limit"},
      {&insert_limit_, "INSERT INTO class_limit VALUES (?1, ?2, ?3, ?4, ?5)"},
      {&put_document_, "INSERT OR REPLACE INTO document VALUES (?1, ?2, ?3, ?4, ?5)"},
      {&delete_document_, "DELETE FROM document WHERE collection = ?1 AND tenant = ?2 AND id = ?3"},
  };
  for (const auto& [statement, sql] : statements) {
    absl::StatusOr<SqliteStatement> prepared = database_.Prepare(sql);
    if (!prepared.ok()) return prepared.status();
    *statement = *std::move(prepared);
  }
  return absl::OkStatus();
}

template <typename Body>
absl::Status SqliteWriter::Transaction(Body body) {
  absl::Status status = begin_.Run();
  if (!status.ok()) return status;
  status = body();
  if (status.ok()) status = commit_.Run();
  // After a failed COMMIT the transaction may or may not be over; a ROLLBACK that finds none does
  // no harm.
  if (!status.ok()) rollback_.Run().IgnoreError();
  return status;
}

absl::StatusOr<uint64_t> SqliteWriter::BumpEpoch() {
  uint64_t epoch = 0;
  const absl::Status status = Transaction([&] {
    const absl::StatusOr<bool> row = get_epoch_.Step();
    epoch = row.ok() && *row ? get_epoch_.Integer(0) + 1 : 1;
    get_epoch_.Reset();
    if (!row.ok()) return row.status();
    set_epoch_.Bind(1, static_cast<int64_t>(epoch));
    return set_epoch_.Run();
  });
  if (!status.ok()) return status;
  return epoch;
}

absl::Status SqliteWriter::CheckEpoch(uint64_t epoch) {
  const absl::StatusOr<bool> row = get_epoch_.Step();
  const int64_t stored = row.ok() && *row ? get_epoch_.Integer(0) : 0;
  get_epoch_.Reset();
  if (!row.ok()) return row.status();
  if (static_cast<uint64_t>(stored) == epoch) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "this scheduler's epoch ", epoch, " is not the stored one, ", stored, ": another one leads"));
}

absl::Status SqliteWriter::Commit(uint64_t epoch, const WriteBatch& batch) {
  const absl::Status status = Transaction([&] {
    const absl::Status checked = CheckEpoch(epoch);
    return checked.ok() ? Write(batch) : checked;
  });
  // Committed is committed: a log that cannot be moved now is moved later.
  if (log_pages_ >= kLongestLog) database_.CheckpointPassive().status().IgnoreError();
  return status;
}

absl::Status SqliteWriter::Write(const WriteBatch& batch) {
  absl::Status status;
  const auto each = [&](const auto& rows, auto write) {
    for (auto row = rows.begin(); status.ok() && row != rows.end(); ++row) status = write(*row);
  };
  each(batch.inserts, [&](const JobRow& row) { return Insert(row); });
  each(batch.updates, [&](const JobUpdate& row) { return Update(row); });
  if (status.ok() && !batch.deletes.empty()) status = Delete(batch.deletes);
  each(batch.requests, [&](const RequestRow& row) { return Insert(row); });
  each(batch.model_versions, [&](const ModelVersionRow& row) { return Insert(row); });
  each(batch.released_artifacts, [&](const ArtifactReferenceKey& key) {
    release_artifact_.BindText(1, key.tenant);
    release_artifact_.BindText(2, key.sha256);
    return release_artifact_.Run();
  });
  each(batch.artifact_references, [&](const ArtifactReferenceRow& row) { return Insert(row); });
  if (status.ok() && batch.limits.has_value()) status = Replace(*batch.limits);
  each(batch.documents, [&](const DocumentWrite& write) { return Write(write); });
  return status;
}

absl::Status SqliteWriter::Insert(const JobRow& row) {
  insert_job_.Bind(1, static_cast<int64_t>(row.id));
  insert_job_.BindText(2, row.tenant);
  insert_job_.Bind(3, row.kind);
  insert_job_.Bind(4, row.state);
  insert_job_.Bind(5, row.priority);
  insert_job_.Bind(6, row.create_ms);
  insert_job_.Bind(7, row.end_ms);
  insert_job_.Bind(8, RecordChecksum(row));
  insert_job_.Bind(9, IdentityChecksum(row));
  insert_job_.Bind(10, SpecChecksum(row.id, row.spec));
  insert_job_.BindBlob(11, row.record);
  insert_job_.BindBlob(12, row.spec);
  return insert_job_.Run();
}

absl::Status SqliteWriter::Update(const JobUpdate& row) {
  update_job_.Bind(1, static_cast<int64_t>(row.id));
  update_job_.Bind(2, row.state);
  update_job_.Bind(3, row.priority);
  update_job_.Bind(4, row.end_ms);
  update_job_.Bind(5, RecordChecksum(row));
  update_job_.BindBlob(6, row.record);
  const absl::Status status = update_job_.Run();
  if (!status.ok() || database_.Changes() == 1) return status;
  return absl::NotFoundError(
      absl::StrCat("there is no row of job ", FormatJobId(row.id), " to update"));
}

absl::Status SqliteWriter::Delete(const std::vector<JobId>& ids) {
  JobId highest = 0;
  for (const JobId id : ids) {
    highest = std::max(highest, id);
    delete_job_.Bind(1, static_cast<int64_t>(id));
    const absl::Status status = delete_job_.Run();
    if (!status.ok()) return status;
  }
  raise_deleted_.Bind(1, static_cast<int64_t>(highest));
  return raise_deleted_.Run();
}

absl::Status SqliteWriter::Insert(const RequestRow& row) {
  insert_request_.BindText(1, row.key.tenant);
  insert_request_.BindText(2, row.key.method);
  insert_request_.BindText(3, row.key.request_id);
  insert_request_.BindBlob(4, row.body_sha256);
  insert_request_.Bind(5, static_cast<int64_t>(row.first_job));
  insert_request_.Bind(6, row.job_count);
  insert_request_.Bind(7, row.create_ms);
  insert_request_.Bind(8, row.expire_ms);
  insert_request_.Bind(9, RequestChecksum(row));
  insert_request_.BindBlob(10, row.reply);
  return insert_request_.Run();
}

absl::Status SqliteWriter::Insert(const ModelVersionRow& row) {
  insert_model_.BindText(1, row.tenant);
  insert_model_.BindText(2, row.model);
  insert_model_.Bind(3, row.version);
  insert_model_.Bind(4, static_cast<int64_t>(row.job));
  insert_model_.Bind(5, row.create_ms);
  insert_model_.Bind(6, ModelVersionChecksum(row));
  insert_model_.BindBlob(7, row.bytes);
  return insert_model_.Run();
}

absl::Status SqliteWriter::Insert(const ArtifactReferenceRow& row) {
  insert_artifact_.BindText(1, row.tenant);
  insert_artifact_.BindText(2, row.sha256);
  insert_artifact_.Bind(3, row.size_bytes);
  insert_artifact_.BindText(4, row.media_type);
  insert_artifact_.Bind(5, row.create_ms);
  insert_artifact_.Bind(6, ArtifactReferenceChecksum(row));
  return insert_artifact_.Run();
}

absl::Status SqliteWriter::Replace(const std::vector<LimitRow>& limits) {
  absl::Status status = clear_limits_.Run();
  for (auto row = limits.begin(); status.ok() && row != limits.end(); ++row) {
    insert_limit_.BindText(1, row->worker);
    insert_limit_.BindText(2, row->device);
    insert_limit_.Bind(3, row->job_class);
    insert_limit_.Bind(4, row->max_running);
    insert_limit_.Bind(5, LimitChecksum(*row));
    status = insert_limit_.Run();
  }
  return status;
}

absl::Status SqliteWriter::Write(const DocumentWrite& write) {
  SqliteStatement& statement = write.bytes.has_value() ? put_document_ : delete_document_;
  statement.BindText(1, write.key.collection);
  statement.BindText(2, write.key.tenant);
  statement.BindText(3, write.key.id);
  if (write.bytes.has_value()) {
    statement.Bind(4, DocumentChecksum(write.key, *write.bytes));
    statement.BindBlob(5, *write.bytes);
  }
  return statement.Run();
}

absl::StatusOr<int> SqliteWriter::RemoveExpiredRequests(int64_t now_ms, int max_scanned) {
  std::vector<int64_t> expired;
  int scanned = 0;
  int64_t last = expiry_cursor_;
  expired_requests_.Bind(1, expiry_cursor_);
  expired_requests_.Bind(2, now_ms);
  expired_requests_.Bind(3, max_scanned);
  absl::StatusOr<bool> row = expired_requests_.Step();
  for (; row.ok() && *row; row = expired_requests_.Step()) {
    ++scanned;
    last = expired_requests_.Integer(0);
    if (expired_requests_.Integer(1) != 0) expired.push_back(last);
  }
  expired_requests_.Reset();
  if (!row.ok()) return row.status();
  if (!expired.empty()) {
    const absl::Status status = Transaction([&] {
      absl::Status deleted;
      for (auto number = expired.begin(); deleted.ok() && number != expired.end(); ++number) {
        delete_request_.Bind(1, *number);
        deleted = delete_request_.Run();
      }
      return deleted;
    });
    if (!status.ok()) return status;
  }
  // At the end the next call begins anew.
  expiry_cursor_ = scanned < max_scanned ? 0 : last;
  return static_cast<int>(expired.size());
}

}  // namespace switchyard::scheduler
