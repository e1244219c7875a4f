// One connection to PostgreSQL: prepared statements with binary parameters and results, pipelines,
// and errors as statuses.
//
// Errors of every call: UNAVAILABLE when the connection is lost or the server cannot serve now (of
// a write the outcome is then unknown); ALREADY_EXISTS for a key that is there; FAILED_PRECONDITION
// and NOT_FOUND where the schema's own functions say so (schema.cc); RESOURCE_EXHAUSTED with reason
// DISK_FULL; DATA_LOSS for damage the server found.
//
// Thread-safety: one thread at a time. Every call blocks on the network.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "scheduler/store/postgres/parameters.h"

struct pg_conn;
struct pg_result;

namespace switchyard::scheduler {

// A statement by name. Prepared on a connection when it is used there first.
struct PostgresStatement {
  const char* name;
  const char* sql;
};

// Rows of an answer; columns from 0. Movable.
class PostgresResult {
 public:
  explicit PostgresResult(pg_result* result) : result_(result) {}
  int rows() const;
  bool IsNull(int row, int column) const;
  int64_t Integer(int row, int column) const;  // REQUIRES: an int8 column.
  // Text or bytes; valid while this lives.
  absl::string_view Bytes(int row, int column) const;
  std::string Text(int row, int column) const { return std::string(Bytes(row, column)); }

 private:
  struct Clear {
    void operator()(pg_result* result) const;
  };
  std::unique_ptr<pg_result, Clear> result_;
};

class PostgresConnection {
 public:
  // `uri`: a connection string or URI as libpq takes it; the password may come from its usual
  // places. `schema` is the search path. `patience`: after so long (whole seconds, at least 2) a
  // server that does not answer is given up, unless the URI says otherwise.
  static absl::StatusOr<PostgresConnection> Open(const std::string& uri, const std::string& schema,
                                                 absl::Duration patience = absl::Seconds(15));

  // Statements without parameters and results, `;` between them.
  absl::Status Execute(const std::string& sql);
  absl::StatusOr<PostgresResult> Query(const PostgresStatement& statement,
                                       const Parameters& parameters);

  struct Call {
    PostgresStatement statement;
    Parameters parameters;
  };
  // BEGIN, the calls, COMMIT in one go, without waiting for an answer in between. All or nothing;
  // the first error.
  absl::Status Transaction(absl::Span<const Call> calls);

  // No call can succeed any more: open another one.
  bool broken() const;

 private:
  struct Close {
    void operator()(pg_conn* connection) const;
  };
  explicit PostgresConnection(pg_conn* connection) : connection_(connection) {}
  absl::Status Prepare(const PostgresStatement& statement);
  bool Send(const PostgresStatement& statement, const Parameters& parameters);
  absl::Status SendAll(absl::Span<const Call> calls);
  // Answers up to the pipeline's end; the first error.
  absl::Status TakeAll();
  absl::Status Error(pg_result* result, absl::string_view what) const;

  std::unique_ptr<pg_conn, Close> connection_;
  std::set<std::string> prepared_;
};

}  // namespace switchyard::scheduler
