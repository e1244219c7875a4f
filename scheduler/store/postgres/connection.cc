#include "scheduler/store/postgres/connection.h"

#include <endian.h>
#include <libpq-fe.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/status/error.h"

namespace switchyard::scheduler {
namespace {

constexpr int kBinary = 1;

constexpr PostgresStatement kBegin = {"begin", "BEGIN"};
constexpr PostgresStatement kCommit = {"commit", "COMMIT"};

// A server that is gone without a word is noticed in seconds, not in the two hours of TCP. What the
// operator writes in the URI comes later and counts.
constexpr const char* kNames[] = {
    "connect_timeout",     "tcp_user_timeout", "keepalives_idle",  "keepalives_interval",
    "keepalives_count",    "client_encoding",  "application_name", "dbname",
    nullptr};

constexpr int64_t kLongestConnectSeconds = 5;

absl::Status Categorize(absl::string_view state, const std::string& text) {
  if (state == "23505") return absl::AlreadyExistsError(text);
  if (state == "SW001") return absl::FailedPreconditionError(text);
  if (state == "SW002") return absl::NotFoundError(text);
  if (absl::StartsWith(state, "53100")) {
    return MakeError(absl::StatusCode::kResourceExhausted, "DISK_FULL",
                     absl::StrCat(text, "; free space on the disk of the database server"));
  }
  if (absl::StartsWith(state, "XX")) {
    return absl::DataLossError(absl::StrCat(text, "; restore the database from a backup"));
  }
  return absl::UnavailableError(text);
}

}  // namespace

void PostgresResult::Clear::operator()(pg_result* result) const { PQclear(result); }

int PostgresResult::rows() const { return PQntuples(result_.get()); }

bool PostgresResult::IsNull(int row, int column) const {
  return PQgetisnull(result_.get(), row, column) != 0;
}

int64_t PostgresResult::Integer(int row, int column) const {
  uint64_t value = 0;
  std::memcpy(&value, PQgetvalue(result_.get(), row, column), sizeof(value));
  return static_cast<int64_t>(be64toh(value));
}

absl::string_view PostgresResult::Bytes(int row, int column) const {
  return absl::string_view(PQgetvalue(result_.get(), row, column),
                           static_cast<size_t>(PQgetlength(result_.get(), row, column)));
}

void PostgresConnection::Close::operator()(pg_conn* connection) const { PQfinish(connection); }

absl::StatusOr<PostgresConnection> PostgresConnection::Open(const std::string& uri,
                                                            const std::string& schema,
                                                            absl::Duration patience) {
  const int64_t seconds = absl::ToInt64Seconds(patience);
  // libpq counts connecting in seconds, and takes 1 for 2.
  const std::string connect = absl::StrCat(std::clamp<int64_t>(seconds, 2, kLongestConnectSeconds));
  const std::string silence = absl::StrCat(absl::ToInt64Milliseconds(patience));
  const std::string probe = absl::StrCat(std::max<int64_t>(seconds / 3, 1));
  const char* const values[] = {connect.c_str(),        silence.c_str(), probe.c_str(),
                                probe.c_str(),          "2",             "UTF8",
                                "switchyard-scheduler", uri.c_str(),     nullptr};
  PostgresConnection connection(PQconnectdbParams(kNames, values, /*expand_dbname=*/1));
  if (connection.broken()) {
    return absl::UnavailableError(absl::StrCat(
        "cannot connect to PostgreSQL: ",
        absl::StripTrailingAsciiWhitespace(PQerrorMessage(connection.connection_.get()))));
  }
  // Notices of migrations that find their work done are no news.
  PQsetNoticeProcessor(
      connection.connection_.get(), [](void*, const char*) {}, nullptr);
  // An acknowledged commit is on disk: a database that was set to lose the last ones is not asked
  // to.
  const absl::Status status = connection.Execute(absl::StrCat(
      "SET search_path TO \"", schema, "\"; SELECT set_config('synchronous_commit', 'on', false) ",
      "WHERE current_setting('synchronous_commit') = 'off'"));
  if (!status.ok()) return status;
  return connection;
}

bool PostgresConnection::broken() const { return PQstatus(connection_.get()) != CONNECTION_OK; }

absl::Status PostgresConnection::Error(pg_result* result, absl::string_view what) const {
  const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const char* message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  const absl::string_view text =
      message != nullptr ? message
                         : absl::StripTrailingAsciiWhitespace(PQerrorMessage(connection_.get()));
  return Categorize(state == nullptr ? "" : state,
                    absl::StrCat(what, ": ", text, " (PostgreSQL ",
                                 state == nullptr ? "connection" : state, ")"));
}

absl::Status PostgresConnection::Execute(const std::string& sql) {
  PGresult* raw = PQexec(connection_.get(), sql.c_str());
  const PostgresResult result(raw);
  const ExecStatusType status = PQresultStatus(raw);
  if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) return absl::OkStatus();
  return Error(raw, sql.substr(0, sql.find('\n', 1)));
}

absl::Status PostgresConnection::Prepare(const PostgresStatement& statement) {
  if (prepared_.contains(statement.name)) return absl::OkStatus();
  PGresult* raw = PQprepare(connection_.get(), statement.name, statement.sql, 0, nullptr);
  const PostgresResult result(raw);
  if (PQresultStatus(raw) != PGRES_COMMAND_OK) return Error(raw, statement.name);
  prepared_.insert(statement.name);
  return absl::OkStatus();
}

absl::StatusOr<PostgresResult> PostgresConnection::Query(const PostgresStatement& statement,
                                                         const Parameters& parameters) {
  if (absl::Status status = Prepare(statement); !status.ok()) return status;
  const std::vector<int> formats(parameters.count(), kBinary);
  PGresult* raw = PQexecPrepared(connection_.get(), statement.name, parameters.count(),
                                 parameters.pointers().data(), parameters.lengths().data(),
                                 formats.data(), kBinary);
  PostgresResult result(raw);
  const ExecStatusType status = PQresultStatus(raw);
  if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) return result;
  return Error(raw, statement.name);
}

bool PostgresConnection::Send(const PostgresStatement& statement, const Parameters& parameters) {
  const std::vector<int> formats(parameters.count(), kBinary);
  return PQsendQueryPrepared(connection_.get(), statement.name, parameters.count(),
                             parameters.pointers().data(), parameters.lengths().data(),
                             formats.data(), kBinary) == 1;
}

absl::Status PostgresConnection::SendAll(absl::Span<const Call> calls) {
  bool sent = Send(kBegin, {});
  for (const Call& call : calls) sent = sent && Send(call.statement, call.parameters);
  sent = sent && Send(kCommit, {}) && PQpipelineSync(connection_.get()) == 1;
  return sent ? absl::OkStatus() : Error(nullptr, "sending a transaction");
}

absl::Status PostgresConnection::TakeAll() {
  absl::Status first;
  bool between = false;
  while (!broken()) {
    PGresult* raw = PQgetResult(connection_.get());
    // One null stands between the answers of two calls. Two of them: the server is gone and no more
    // will come, though libpq may not call the connection bad yet.
    if (raw == nullptr && between) break;
    between = raw == nullptr;
    if (between) continue;
    const PostgresResult result(raw);
    const ExecStatusType status = PQresultStatus(raw);
    if (status == PGRES_PIPELINE_SYNC) return first;
    const bool fine =
        status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_PIPELINE_ABORTED;
    if (!fine && first.ok()) first = Error(raw, "commit");
  }
  if (first.ok()) first = Error(nullptr, "commit");
  connection_.reset();
  return first;
}

absl::Status PostgresConnection::Transaction(absl::Span<const Call> calls) {
  absl::Status status = Prepare(kBegin);
  if (status.ok()) status = Prepare(kCommit);
  for (size_t i = 0; status.ok() && i < calls.size(); ++i) status = Prepare(calls[i].statement);
  if (!status.ok()) return status;
  if (PQenterPipelineMode(connection_.get()) != 1) return Error(nullptr, "commit");
  status = SendAll(calls);
  if (status.ok()) status = TakeAll();
  if (!broken() && PQexitPipelineMode(connection_.get()) == 1) {
    if (!status.ok()) Execute("ROLLBACK").IgnoreError();
  } else {
    // Answers are still under way: nobody could tell them from the next ones.
    connection_.reset();
  }
  return status;
}

}  // namespace switchyard::scheduler
