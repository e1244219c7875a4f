#include "scheduler/trace/replay/stored_log.h"

#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "scheduler/engine/core_kinds.h"
#include "scheduler/engine/row_codec.h"
#include "scheduler/store/row_checksum.h"
#include "scheduler/store/sqlite_database.h"

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
                                          "up` or of a scheduler"));
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
    if (RecordChecksum(row) != jobs->Integer(7)) {
      return absl::DataLossError(absl::StrCat("the stored job ", FormatJobId(row.id),
                                              " is damaged: its checksum is another"));
    }
    JobImage image;
    if (absl::Status status = DecodeRow(row, image); !status.ok()) return status;
    builder.Add(image);
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

}  // namespace

absl::StatusOr<JobLog> ReadStoredLog(const std::string& path) {
  const absl::StatusOr<std::string> file = FindFile(path);
  if (!file.ok()) return file.status();
  absl::StatusOr<SqliteDatabase> database = SqliteDatabase::Open(*file, /*read_only=*/true);
  if (!database.ok()) return database.status();
  const std::vector<KindConfig> kinds = CoreKinds();
  JobLogBuilder builder(kinds);
  if (absl::Status status = ReadJobs(*database, builder); !status.ok()) return status;
  absl::StatusOr<std::vector<LimitRule>> limits = ReadLimits(*database);
  if (!limits.ok()) return limits.status();
  absl::StatusOr<JobLog> log = builder.Build();
  if (log.ok()) log->limits = *std::move(limits);
  return log;
}

}  // namespace switchyard::scheduler
