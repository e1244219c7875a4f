#include "scheduler/trace/replay/postgres_log.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "scheduler/store/postgres/connection.h"
#include "scheduler/trace/replay/stored_row.h"

namespace switchyard::scheduler {
namespace {

// Rows read at once.
constexpr int kRows = 5000;

constexpr PostgresStatement kJobs = {
    "replay_jobs",
    "SELECT id, tenant, kind, state, priority, create_ms, end_ms, record_crc, record FROM job "
    "WHERE id > $1 ORDER BY id LIMIT $2"};
constexpr PostgresStatement kLimits = {
    "replay_limits", "SELECT device, job_class, max_running FROM class_limit WHERE worker = ''"};

// Adds the rows of one answer; `last` becomes the id of the last of them.
absl::Status AddJobs(const PostgresResult& jobs, JobLogBuilder& builder, int64_t& last) {
  for (int i = 0; i < jobs.rows(); ++i) {
    last = jobs.Integer(i, 0);
    JobRow row;
    row.id = static_cast<JobId>(last);
    row.tenant = jobs.Text(i, 1);
    row.kind = static_cast<uint32_t>(jobs.Integer(i, 2));
    row.state = static_cast<uint32_t>(jobs.Integer(i, 3));
    row.priority = static_cast<uint32_t>(jobs.Integer(i, 4));
    row.create_ms = jobs.Integer(i, 5);
    row.end_ms = jobs.Integer(i, 6);
    row.record = jobs.Text(i, 8);
    if (absl::Status status = AddStoredRow(row, jobs.Integer(i, 7), builder); !status.ok())
      return status;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<LimitRule>> ReadLimits(PostgresConnection& connection) {
  const absl::StatusOr<PostgresResult> limits = connection.Query(kLimits, {});
  if (!limits.ok()) return limits.status();
  std::vector<LimitRule> rules;
  for (int i = 0; i < limits->rows(); ++i) {
    rules.push_back({.device = limits->Text(i, 0),
                     .job_class = static_cast<JobClass>(limits->Integer(i, 1)),
                     .max_running = static_cast<uint32_t>(limits->Integer(i, 2))});
  }
  return rules;
}

}  // namespace

bool NamesPostgres(absl::string_view where) {
  return absl::StartsWith(where, "postgresql://") || absl::StartsWith(where, "postgres://") ||
         absl::StartsWith(where, "host=") || absl::StartsWith(where, "dbname=");
}

absl::StatusOr<std::vector<LimitRule>> ReadPostgresLog(const std::string& where,
                                                       JobLogBuilder& builder) {
  const std::pair<std::string, std::string> parts = absl::StrSplit(where, absl::MaxSplits('#', 1));
  absl::StatusOr<PostgresConnection> connection =
      PostgresConnection::Open(parts.first, parts.second.empty() ? "switchyard" : parts.second);
  if (!connection.ok()) return connection.status();
  for (int64_t last = 0;;) {
    Parameters after;
    after.Integer(last).Integer(kRows);
    const absl::StatusOr<PostgresResult> jobs = connection->Query(kJobs, after);
    if (!jobs.ok()) return jobs.status();
    if (absl::Status status = AddJobs(*jobs, builder, last); !status.ok()) return status;
    if (jobs->rows() < kRows) return ReadLimits(*connection);
  }
}

}  // namespace switchyard::scheduler
