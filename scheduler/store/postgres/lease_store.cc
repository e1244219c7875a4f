#include "scheduler/store/postgres/lease_store.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "scheduler/store/postgres/connection.h"

namespace switchyard::scheduler {
namespace {

constexpr PostgresStatement kRead = {
    "read_leader", "SELECT term, renewal, held, id, name, client_address, version FROM leader"};
// A leader that was frozen in the middle of a transaction would hold the epoch's row for ever: who
// writes here for longer than a moment while the lead changes hands is not waited for.
constexpr PostgresStatement kCutOff = {
    "cut_off_writers",
    "SELECT count(pg_terminate_backend(lock.pid)) FROM pg_locks AS lock JOIN pg_stat_activity AS "
    "busy ON busy.pid = lock.pid WHERE lock.locktype = 'relation' AND lock.database = (SELECT oid "
    "FROM pg_database WHERE datname = current_database()) AND lock.relation = 'meta'::regclass AND "
    "lock.mode IN ('RowShareLock', 'RowExclusiveLock') AND lock.granted AND lock.pid <> "
    "pg_backend_pid() AND busy.xact_start < clock_timestamp() - INTERVAL '500 ms'"};
constexpr PostgresStatement kTake = {"take_lead", "SELECT take_lead($1, $2, $3, $4, $5, $6)"};
constexpr PostgresStatement kRenew = {"renew_lead", "SELECT renew_lead($1)"};
constexpr PostgresStatement kRelease = {
    "release_lead", "UPDATE leader SET held = 0, renewal = renewal + 1 WHERE term = $1"};
constexpr PostgresStatement kBump = {"bump_epoch_of", "SELECT bump_epoch($1)"};
constexpr PostgresStatement kNote = {
    "note_standby",
    "INSERT INTO standby VALUES ($1, $2, $3, $4, clock_timestamp()) ON CONFLICT (id) DO UPDATE SET "
    "name = excluded.name, client_address = excluded.client_address, version = excluded.version, "
    "seen = excluded.seen"};
constexpr PostgresStatement kNoted = {
    "noted_standbys",
    "SELECT id, name, client_address, version, "
    "(extract(epoch FROM clock_timestamp() - seen) * 1000)::BIGINT FROM standby "
    "WHERE seen > clock_timestamp() - $1::BIGINT::DOUBLE PRECISION * INTERVAL '1 ms' ORDER BY "
    "name, id"};

Parameters IdentityParameters(Parameters parameters, const SchedulerIdentity& self) {
  parameters.Text(self.id).Text(self.name).Text(self.client_address).Text(self.version);
  return parameters;
}

SchedulerIdentity ReadIdentity(const PostgresResult& rows, int row, int column) {
  return {rows.Text(row, column), rows.Text(row, column + 1), rows.Text(row, column + 2),
          rows.Text(row, column + 3)};
}

// A connection that is there when it is needed. Not thread-safe.
class LazyConnection {
 public:
  LazyConnection(PostgresStoreOptions options, absl::Duration patience)
      : options_(std::move(options)), patience_(patience) {}

  absl::StatusOr<PostgresResult> Query(const PostgresStatement& statement,
                                       const Parameters& parameters) {
    if (absl::Status status = Connect(); !status.ok()) return status;
    return connection_->Query(statement, parameters);
  }

 private:
  absl::Status Connect() {
    if (connection_.has_value() && !connection_->broken()) return absl::OkStatus();
    absl::StatusOr<PostgresConnection> opened =
        PostgresConnection::Open(options_.uri, options_.schema, patience_);
    if (!opened.ok()) return opened.status();
    const int64_t ms = absl::ToInt64Milliseconds(patience_);
    const absl::Status status =
        opened->Execute(absl::StrCat("SET lock_timeout = ", ms, "; SET statement_timeout = ", ms));
    if (!status.ok()) return status;
    connection_ = *std::move(opened);
    return absl::OkStatus();
  }

  const PostgresStoreOptions options_;
  const absl::Duration patience_;
  std::optional<PostgresConnection> connection_;
};

class PostgresLeaseStore final : public LeaseStore {
 public:
  PostgresLeaseStore(const PostgresStoreOptions& options, absl::Duration patience)
      : connection_(options, patience), bumper_(options, patience) {}

  absl::StatusOr<LeaderLease> Read() override {
    const absl::StatusOr<PostgresResult> row = connection_.Query(kRead, {});
    if (!row.ok()) return row.status();
    return LeaderLease{.term = static_cast<uint64_t>(row->Integer(0, 0)),
                       .renewal = static_cast<uint64_t>(row->Integer(0, 1)),
                       .held = row->Integer(0, 2) != 0,
                       .holder = ReadIdentity(*row, 0, 3)};
  }

  absl::StatusOr<uint64_t> Take(const LeaderLease& seen, const SchedulerIdentity& self) override {
    const absl::StatusOr<PostgresResult> cut = connection_.Query(kCutOff, {});
    if (!cut.ok()) return cut.status();
    Parameters parameters;
    parameters.Integer(static_cast<int64_t>(seen.term)).Integer(static_cast<int64_t>(seen.renewal));
    const absl::StatusOr<PostgresResult> term =
        connection_.Query(kTake, IdentityParameters(std::move(parameters), self));
    if (!term.ok()) return term.status();
    if (term->Integer(0, 0) == 0) return absl::AbortedError("another scheduler was faster");
    return static_cast<uint64_t>(term->Integer(0, 0));
  }

  absl::Status Renew(uint64_t term) override { return Run(connection_, kRenew, term).status(); }
  absl::Status Release(uint64_t term) override { return Run(connection_, kRelease, term).status(); }

  absl::StatusOr<uint64_t> BumpEpoch(uint64_t term) override {
    const absl::StatusOr<PostgresResult> epoch = Run(bumper_, kBump, term);
    if (!epoch.ok()) return epoch.status();
    return static_cast<uint64_t>(epoch->Integer(0, 0));
  }

  absl::Status Note(const SchedulerIdentity& self) override {
    return connection_.Query(kNote, IdentityParameters({}, self)).status();
  }

  absl::StatusOr<std::vector<StandbyRow>> Noted(absl::Duration age) override {
    Parameters parameters;
    parameters.Integer(absl::ToInt64Milliseconds(age));
    const absl::StatusOr<PostgresResult> rows = connection_.Query(kNoted, parameters);
    if (!rows.ok()) return rows.status();
    std::vector<StandbyRow> standbys;
    for (int row = 0; row < rows->rows(); ++row) {
      standbys.push_back({ReadIdentity(*rows, row, 0), absl::Milliseconds(rows->Integer(row, 4))});
    }
    return standbys;
  }

 private:
  static absl::StatusOr<PostgresResult> Run(LazyConnection& connection,
                                            const PostgresStatement& statement, uint64_t term) {
    Parameters parameters;
    parameters.Integer(static_cast<int64_t>(term));
    return connection.Query(statement, parameters);
  }

  LazyConnection connection_;
  LazyConnection bumper_;  // The engine's thread.
};

}  // namespace

std::unique_ptr<LeaseStore> MakePostgresLeaseStore(const PostgresStoreOptions& options,
                                                   absl::Duration patience) {
  return std::make_unique<PostgresLeaseStore>(options, patience);
}

}  // namespace switchyard::scheduler
