#include "scheduler/trace/replay/stored_log.h"

#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "scheduler/engine/core_kinds.h"
#include "scheduler/store/sqlite_database.h"
#include "scheduler/trace/replay/postgres_log.h"
#include "scheduler/trace/replay/stored_row.h"

namespace switchyard::scheduler {
namespace {

constexpr char kFileName[] = "switchyard.db";

absl::StatusOr<std::string> FindFile(const std::string& path) {
  std::error_code error;
  if (std::filesystem::is_regular_file(path, error)) return path;
  for (const std::string& folder : {path, path + "/scheduler"}) {
    const std::string file = absl::StrCat(folder, "/", kFileName);
    if (std::filesystem::is_regular_file(file, error)) return file;
  }
  return absl::NotFoundError(absl::StrCat("there is no ", kFileName, " in ", path,
                                          ": give the data folder of `switchyard "
                                          "up` or of a scheduler, or the postgresql:// URI of its "
                                          "database"));
}

absl::Status ReadJobs(SqliteDatabase& database, JobLogBuilder& builder) {
  absl::StatusOr<SqliteStatement> jobs = database.Prepare(
      "SELECT id, tenant, kind, state, priority, create_ms, end_ms, record_crc, record FROM job "
      "ORDER BY id");
  if (!jobs.ok()) return jobs.status();
  for (;;) {
    const absl::StatusOr<bool> more = jobs->Step();
    if (!more.ok()) return more.status();
    if (!*more) return absl::OkStatus();
    JobRow row;
    row.id = static_cast<JobId>(jobs->Integer(0));
    row.tenant = std::string(jobs->Bytes(1));
    row.kind = static_cast<uint32_t>(jobs->Integer(2));
    row.state = static_cast<uint32_t>(jobs->Integer(3));
    row.priority = static_cast<uint32_t>(jobs->Integer(4));
    row.create_ms = jobs->Integer(5);
    row.end_ms = jobs->Integer(6);
    row.record = std::string(jobs->Bytes(8));
    if (absl::Status status = AddStoredRow(row, jobs->Integer(7), builder); !status.ok())
      return status;
  }
}

absl::StatusOr<std::vector<LimitRule>> ReadLimits(SqliteDatabase& database) {
  absl::StatusOr<SqliteStatement> limits =
      database.Prepare("SELECT device, job_class, max_running FROM class_limit WHERE worker = ''");
  if (!limits.ok()) return limits.status();
  std::vector<LimitRule> rules;
  for (;;) {
    const absl::StatusOr<bool> more = limits->Step();
    if (!more.ok()) return more.status();
    if (!*more) return rules;
    LimitRule& rule = rules.emplace_back();
    rule.device = std::string(limits->Bytes(0));
    rule.job_class = static_cast<JobClass>(limits->Integer(1));
    rule.max_running = static_cast<uint32_t>(limits->Integer(2));
  }
}

// Adds every job and gives the limits in force.
absl::StatusOr<std::vector<LimitRule>> ReadSqliteLog(const std::string& path,
                                                     JobLogBuilder& builder) {
  const absl::StatusOr<std::string> file = FindFile(path);
  if (!file.ok()) return file.status();
  absl::StatusOr<SqliteDatabase> database = SqliteDatabase::Open(*file, /*read_only=*/true);
  if (!database.ok()) return database.status();
  if (absl::Status status = ReadJobs(*database, builder); !status.ok()) return status;
  return ReadLimits(*database);
}

}  // namespace

absl::StatusOr<JobLog> ReadStoredLog(const std::string& where) {
  const std::vector<KindConfig> kinds = CoreKinds();
  JobLogBuilder builder(kinds);
  absl::StatusOr<std::vector<LimitRule>> limits =
      NamesPostgres(where) ? ReadPostgresLog(where, builder) : ReadSqliteLog(where, builder);
  if (!limits.ok()) return limits.status();
  absl::StatusOr<JobLog> log = builder.Build();
  if (log.ok()) log->limits = *std::move(limits);
  return log;
}

}  // namespace switchyard::scheduler
