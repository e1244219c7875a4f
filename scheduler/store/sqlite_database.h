// A connection to a SQLite file and its prepared statements, as values with statuses in place of
// codes.
//
// Thread-safety: a connection and its statements are used by one thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

struct sqlite3;
struct sqlite3_stmt;

namespace switchyard::scheduler {

// A prepared statement. Use: Bind all, Step until false, Reset. Binding keeps a pointer: the bytes
// must live until Reset.
class SqliteStatement {
 public:
  SqliteStatement() = default;
  explicit SqliteStatement(sqlite3_stmt* statement) : statement_(statement) {}

  // Parameters count from 1.
  void Bind(int parameter, int64_t value);
  void BindText(int parameter, absl::string_view value);
  void BindBlob(int parameter, absl::string_view value);
  // True: a row is there. ALREADY_EXISTS on a taken key, RESOURCE_EXHAUSTED on a full disk,
  // DATA_LOSS on a damaged file, else UNAVAILABLE.
  absl::StatusOr<bool> Step();
  // Steps a statement that gives no rows, then resets it.
  absl::Status Run();
  void Reset();

  // Columns count from 0. Views are valid until the next Step or Reset.
  int64_t Integer(int column) const;
  absl::string_view Bytes(int column) const;

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

// Resets a statement at the end of a block, so that no read transaction outlives the call.
class StatementReset {
 public:
  explicit StatementReset(SqliteStatement& statement) : statement_(statement) {}
  ~StatementReset() { statement_.Reset(); }
  StatementReset(const StatementReset&) = delete;
  StatementReset& operator=(const StatementReset&) = delete;

 private:
  SqliteStatement& statement_;
};

class SqliteDatabase {
 public:
  // Opens (and makes, unless `read_only`) the file.
  static absl::StatusOr<SqliteDatabase> Open(const std::string& path, bool read_only);

  absl::StatusOr<SqliteStatement> Prepare(absl::string_view sql);
  // Runs statements without parameters, separated by `;`, dropping their rows.
  absl::Status Execute(const std::string& sql);
  // The first column of the first row of a statement without parameters; 0 when it has none.
  absl::StatusOr<int64_t> QueryInteger(absl::string_view sql);
  // Rows changed by the last finished INSERT, UPDATE or DELETE.
  int64_t Changes() const;
  // From now on each commit sets `*frames` to the pages in the write-ahead log, and the log is not
  // moved into the file by itself. `frames` is borrowed.
  void WatchLog(int* frames);
  // Moves what the write-ahead log holds into the file, without waiting for anybody. Gives the
  // frames left in the log.
  absl::StatusOr<int> CheckpointPassive();

 private:
  struct Close {
    void operator()(sqlite3* database) const;
  };
  explicit SqliteDatabase(sqlite3* database) : database_(database) {}
  std::unique_ptr<sqlite3, Close> database_;
};

}  // namespace switchyard::scheduler
