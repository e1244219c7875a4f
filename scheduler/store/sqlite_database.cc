#include "scheduler/store/sqlite_database.h"

#include <sqlite3.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/error.h"

namespace switchyard::scheduler {
namespace {

absl::Status SqliteError(sqlite3* database, absl::string_view what) {
  const int code = sqlite3_errcode(database);
  const std::string text = absl::StrCat(what, ": ", sqlite3_errmsg(database), " (SQLite ",
                                        sqlite3_extended_errcode(database), ")");
  switch (code & 0xff) {
    case SQLITE_CONSTRAINT:
      return absl::AlreadyExistsError(text);
    case SQLITE_FULL:
      return MakeError(
          absl::StatusCode::kResourceExhausted, "DISK_FULL",
          absl::StrCat(text, "; free space on the disk of the scheduler's data folder"));
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return absl::DataLossError(
          absl::StrCat(text, "; restore the scheduler's data folder from a backup"));
    default:
      return absl::UnavailableError(text);
  }
}

}  // namespace

void SqliteStatement::Finalize::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

void SqliteStatement::Bind(int parameter, int64_t value) {
  sqlite3_bind_int64(statement_.get(), parameter, value);
}

void SqliteStatement::BindText(int parameter, absl::string_view value) {
  // An empty view may hold a null pointer, which SQLite would store as NULL.
  sqlite3_bind_text64(statement_.get(), parameter, value.data() ? value.data() : "", value.size(),
                      SQLITE_STATIC, SQLITE_UTF8);
}

void SqliteStatement::BindBlob(int parameter, absl::string_view value) {
  sqlite3_bind_blob64(statement_.get(), parameter, value.data() ? value.data() : "", value.size(),
                      SQLITE_STATIC);
}

absl::StatusOr<bool> SqliteStatement::Step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return SqliteError(sqlite3_db_handle(statement_.get()), sqlite3_sql(statement_.get()));
}

absl::Status SqliteStatement::Run() {
  const absl::StatusOr<bool> row = Step();
  Reset();
  return row.status();
}

void SqliteStatement::Reset() { sqlite3_reset(statement_.get()); }

int64_t SqliteStatement::Integer(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

absl::string_view SqliteStatement::Bytes(int column) const {
  const void* data = sqlite3_column_blob(statement_.get(), column);
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return absl::string_view(static_cast<const char*>(data), size);
}

void SqliteDatabase::Close::operator()(sqlite3* database) const { sqlite3_close_v2(database); }

absl::StatusOr<SqliteDatabase> SqliteDatabase::Open(const std::string& path, bool read_only) {
  sqlite3* raw = nullptr;
  const int mode = read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  const int code = sqlite3_open_v2(path.c_str(), &raw, mode | SQLITE_OPEN_NOMUTEX, nullptr);
  SqliteDatabase database(raw);
  if (code != SQLITE_OK) return SqliteError(raw, absl::StrCat("cannot open ", path));
  sqlite3_busy_timeout(raw, 10'000);
  return database;
}

absl::StatusOr<SqliteStatement> SqliteDatabase::Prepare(absl::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(database_.get(), sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) return SqliteError(database_.get(), sql);
  return SqliteStatement(statement);
}

absl::Status SqliteDatabase::Execute(const std::string& sql) {
  if (sqlite3_exec(database_.get(), sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK)
    return absl::OkStatus();
  return SqliteError(database_.get(), sql);
}

absl::StatusOr<int64_t> SqliteDatabase::QueryInteger(absl::string_view sql) {
  absl::StatusOr<SqliteStatement> statement = Prepare(sql);
  if (!statement.ok()) return statement.status();
  const absl::StatusOr<bool> row = statement->Step();
  if (!row.ok()) return row.status();
  return *row ? statement->Integer(0) : 0;
}

int64_t SqliteDatabase::Changes() const { return sqlite3_changes64(database_.get()); }

void SqliteDatabase::WatchLog(int* frames) {
  const auto note = [](void* target, sqlite3*, const char*, int in_log) {
    *static_cast<int*>(target) = in_log;
    return SQLITE_OK;
  };
  sqlite3_wal_hook(database_.get(), note, frames);
}

absl::StatusOr<int> SqliteDatabase::CheckpointPassive() {
  int in_log = 0;
  int moved = 0;
  const int code = sqlite3_wal_checkpoint_v2(database_.get(), nullptr, SQLITE_CHECKPOINT_PASSIVE,
                                             &in_log, &moved);
  if (code == SQLITE_OK) return in_log - moved;
  return SqliteError(database_.get(), "checkpoint of the write-ahead log");
}

}  // namespace switchyard::scheduler
