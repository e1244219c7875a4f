#include "scheduler/store/postgres/writer.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "scheduler/store/postgres/schema.h"
#include "scheduler/store/row_checksum.h"

namespace switchyard::scheduler {
namespace {

using Call = PostgresConnection::Call;
constexpr PostgresType kInteger = PostgresType::kInteger;
constexpr PostgresType kText = PostgresType::kText;
constexpr PostgresType kBytes = PostgresType::kBytes;

constexpr PostgresStatement kBumpEpoch = {
    "bump_epoch", "UPDATE meta SET value = value + 1 WHERE name = 'epoch' RETURNING value"};
constexpr PostgresStatement kCheckEpoch = {"check_epoch", "SELECT check_epoch($1)"};
constexpr PostgresStatement kInsertJobs = {
    "insert_jobs",
    "INSERT INTO job SELECT * FROM unnest($1::BIGINT[], $2::TEXT[], $3::BIGINT[], $4::BIGINT[], "
    "$5::BIGINT[], $6::BIGINT[], $7::BIGINT[], $8::BIGINT[], $9::BIGINT[], $10::BIGINT[], "
    "$11::BYTEA[], $12::BYTEA[])"};
constexpr PostgresStatement kUpdateJobs = {
    "update_jobs",
    "WITH changed AS (UPDATE job SET state = new.state, priority = new.priority, "
    "end_ms = new.end_ms, record_crc = new.record_crc, record = new.record "
    "FROM unnest($1::BIGINT[], $2::BIGINT[], $3::BIGINT[], $4::BIGINT[], $5::BIGINT[], "
    "$6::BYTEA[]) AS new (id, state, priority, end_ms, record_crc, record) "
    "WHERE job.id = new.id RETURNING 1) "
    "SELECT check_found((SELECT count(*) FROM changed), $7)"};
constexpr PostgresStatement kDeleteJobs = {"delete_jobs",
                                           "DELETE FROM job WHERE id = ANY($1::BIGINT[])"};
constexpr PostgresStatement kRaiseDeleted = {
    "raise_deleted", "UPDATE meta SET value = greatest(value, $1) WHERE name = 'last_deleted_job'"};
constexpr PostgresStatement kInsertRequests = {
    "insert_requests",
    "INSERT INTO request (tenant, method, request_id, body_sha256, first_job, job_count, "
    "create_ms, expire_ms, crc, reply) SELECT * FROM unnest($1::TEXT[], $2::TEXT[], $3::TEXT[], "
    "$4::BYTEA[], $5::BIGINT[], $6::BIGINT[], $7::BIGINT[], $8::BIGINT[], $9::BIGINT[], "
    "$10::BYTEA[])"};
constexpr PostgresStatement kInsertModels = {
    "insert_models",
    "INSERT INTO model_version SELECT * FROM unnest($1::TEXT[], $2::TEXT[], $3::BIGINT[], "
    "$4::BIGINT[], $5::BIGINT[], $6::BIGINT[], $7::BYTEA[])"};
constexpr PostgresStatement kInsertArtifacts = {
    "insert_artifacts",
    "INSERT INTO artifact_reference SELECT * FROM unnest($1::TEXT[], $2::TEXT[], $3::BIGINT[], "
    "$4::TEXT[], $5::BIGINT[], $6::BIGINT[]) ON CONFLICT DO NOTHING"};
constexpr PostgresStatement kReleaseArtifacts = {
    "release_artifacts",
    "DELETE FROM artifact_reference WHERE (tenant, sha256) IN "
    "(SELECT * FROM unnest($1::TEXT[], $2::TEXT[]))"};
constexpr PostgresStatement kClearLimits = {"clear_limits", "DELETE FROM class_limit"};
constexpr PostgresStatement kInsertLimits = {
    "insert_limits",
    "INSERT INTO class_limit SELECT * FROM unnest($1::TEXT[], $2::TEXT[], $3::BIGINT[], "
    "$4::BIGINT[], $5::BIGINT[])"};
constexpr PostgresStatement kPutDocument = {
    "put_document",
    "INSERT INTO document VALUES ($1, $2, $3, $4, $5) ON CONFLICT (collection, tenant, id) "
    "DO UPDATE SET crc = excluded.crc, bytes = excluded.bytes"};
constexpr PostgresStatement kDeleteDocument = {
    "delete_document", "DELETE FROM document WHERE collection = $1 AND tenant = $2 AND id = $3"};
constexpr PostgresStatement kExpiredRequests = {
    "expired_requests",
    "SELECT number, (expire_ms <= $2 AND NOT EXISTS (SELECT 1 FROM job WHERE end_ms = 0 AND "
    "id >= first_job AND id < first_job + job_count))::INT::BIGINT FROM request "
    "WHERE number > $1 ORDER BY number LIMIT $3"};
constexpr PostgresStatement kDeleteRequests = {
    "delete_requests", "DELETE FROM request WHERE number = ANY($1::BIGINT[])"};

Call InsertJobs(const std::vector<JobRow>& rows) {
  Call call{kInsertJobs, {}};
  const auto add = [&](PostgresType type, auto value) { call.parameters.Array(type, rows, value); };
  add(kInteger, [](const JobRow& row) { return static_cast<int64_t>(row.id); });
  add(kText, [](const JobRow& row) { return absl::string_view(row.tenant); });
  add(kInteger, [](const JobRow& row) { return int64_t{row.kind}; });
  add(kInteger, [](const JobRow& row) { return int64_t{row.state}; });
  add(kInteger, [](const JobRow& row) { return int64_t{row.priority}; });
  add(kInteger, [](const JobRow& row) { return row.create_ms; });
  add(kInteger, [](const JobRow& row) { return row.end_ms; });
  add(kInteger, [](const JobRow& row) { return int64_t{RecordChecksum(row)}; });
  add(kInteger, [](const JobRow& row) { return int64_t{IdentityChecksum(row)}; });
  add(kInteger, [](const JobRow& row) { return int64_t{SpecChecksum(row.id, row.spec)}; });
  add(kBytes, [](const JobRow& row) { return absl::string_view(row.record); });
  add(kBytes, [](const JobRow& row) { return absl::string_view(row.spec); });
  return call;
}

// One row of each id, the last: an UPDATE that meets a row twice takes either.
std::vector<const JobUpdate*> LastOfEach(const std::vector<JobUpdate>& updates) {
  absl::flat_hash_map<JobId, size_t> places;
  std::vector<const JobUpdate*> rows;
  for (const JobUpdate& update : updates) {
    const auto [place, made] = places.try_emplace(update.id, rows.size());
    if (made) rows.push_back(nullptr);
    rows[place->second] = &update;
  }
  return rows;
}

Call UpdateJobs(const std::vector<JobUpdate>& updates) {
  const std::vector<const JobUpdate*> rows = LastOfEach(updates);
  Call call{kUpdateJobs, {}};
  const auto add = [&](PostgresType type, auto value) { call.parameters.Array(type, rows, value); };
  add(kInteger, [](const JobUpdate* row) { return static_cast<int64_t>(row->id); });
  add(kInteger, [](const JobUpdate* row) { return int64_t{row->state}; });
  add(kInteger, [](const JobUpdate* row) { return int64_t{row->priority}; });
  add(kInteger, [](const JobUpdate* row) { return row->end_ms; });
  add(kInteger, [](const JobUpdate* row) { return int64_t{RecordChecksum(*row)}; });
  add(kBytes, [](const JobUpdate* row) { return absl::string_view(row->record); });
  call.parameters.Integer(static_cast<int64_t>(rows.size()));
  return call;
}

Call DeleteJobs(const std::vector<JobId>& ids) {
  Call call{kDeleteJobs, {}};
  call.parameters.Array(kInteger, ids, [](JobId id) { return static_cast<int64_t>(id); });
  return call;
}

Call InsertRequests(const std::vector<RequestRow>& rows) {
  Call call{kInsertRequests, {}};
  const auto add = [&](PostgresType type, auto value) { call.parameters.Array(type, rows, value); };
  add(kText, [](const RequestRow& row) { return absl::string_view(row.key.tenant); });
  add(kText, [](const RequestRow& row) { return absl::string_view(row.key.method); });
  add(kText, [](const RequestRow& row) { return absl::string_view(row.key.request_id); });
  add(kBytes, [](const RequestRow& row) { return absl::string_view(row.body_sha256); });
  add(kInteger, [](const RequestRow& row) { return static_cast<int64_t>(row.first_job); });
  add(kInteger, [](const RequestRow& row) { return int64_t{row.job_count}; });
  add(kInteger, [](const RequestRow& row) { return row.create_ms; });
  add(kInteger, [](const RequestRow& row) { return row.expire_ms; });
  add(kInteger, [](const RequestRow& row) { return int64_t{RequestChecksum(row)}; });
  add(kBytes, [](const RequestRow& row) { return absl::string_view(row.reply); });
  return call;
}

Call InsertModels(const std::vector<ModelVersionRow>& rows) {
  Call call{kInsertModels, {}};
  const auto add = [&](PostgresType type, auto value) { call.parameters.Array(type, rows, value); };
  add(kText, [](const ModelVersionRow& row) { return absl::string_view(row.tenant); });
  add(kText, [](const ModelVersionRow& row) { return absl::string_view(row.model); });
  add(kInteger, [](const ModelVersionRow& row) { return int64_t{row.version}; });
  add(kInteger, [](const ModelVersionRow& row) { return static_cast<int64_t>(row.job); });
  add(kInteger, [](const ModelVersionRow& row) { return row.create_ms; });
  add(kInteger, [](const ModelVersionRow& row) { return int64_t{ModelVersionChecksum(row)}; });
  add(kBytes, [](const ModelVersionRow& row) { return absl::string_view(row.bytes); });
  return call;
}

Call ReleaseArtifacts(const std::vector<ArtifactReferenceKey>& keys) {
  using Key = ArtifactReferenceKey;
  Call call{kReleaseArtifacts, {}};
  call.parameters.Array(kText, keys, [](const Key& key) { return absl::string_view(key.tenant); })
      .Array(kText, keys, [](const Key& key) { return absl::string_view(key.sha256); });
  return call;
}

Call InsertArtifacts(const std::vector<ArtifactReferenceRow>& rows) {
  using Row = ArtifactReferenceRow;
  Call call{kInsertArtifacts, {}};
  const auto add = [&](PostgresType type, auto value) { call.parameters.Array(type, rows, value); };
  add(kText, [](const Row& row) { return absl::string_view(row.tenant); });
  add(kText, [](const Row& row) { return absl::string_view(row.sha256); });
  add(kInteger, [](const Row& row) { return row.size_bytes; });
  add(kText, [](const Row& row) { return absl::string_view(row.media_type); });
  add(kInteger, [](const Row& row) { return row.create_ms; });
  add(kInteger, [](const Row& row) { return int64_t{ArtifactReferenceChecksum(row)}; });
  return call;
}

Call InsertLimits(const std::vector<LimitRow>& rows) {
  Call call{kInsertLimits, {}};
  const auto add = [&](PostgresType type, auto value) { call.parameters.Array(type, rows, value); };
  add(kText, [](const LimitRow& row) { return absl::string_view(row.worker); });
  add(kText, [](const LimitRow& row) { return absl::string_view(row.device); });
  add(kInteger, [](const LimitRow& row) { return int64_t{row.job_class}; });
  add(kInteger, [](const LimitRow& row) { return int64_t{row.max_running}; });
  add(kInteger, [](const LimitRow& row) { return int64_t{LimitChecksum(row)}; });
  return call;
}

Call WriteDocument(const DocumentWrite& write) {
  Call call{write.bytes.has_value() ? kPutDocument : kDeleteDocument, {}};
  call.parameters.Text(write.key.collection).Text(write.key.tenant).Text(write.key.id);
  if (write.bytes.has_value()) {
    call.parameters.Integer(DocumentChecksum(write.key, *write.bytes)).Text(*write.bytes);
  }
  return call;
}

// In the order WriteBatch promises.
std::vector<Call> CallsFor(const WriteBatch& batch) {
  std::vector<Call> calls;
  if (!batch.inserts.empty()) calls.push_back(InsertJobs(batch.inserts));
  if (!batch.updates.empty()) calls.push_back(UpdateJobs(batch.updates));
  if (!batch.deletes.empty()) {
    calls.push_back(DeleteJobs(batch.deletes));
    Call raise{kRaiseDeleted, {}};
    const JobId highest = *std::max_element(batch.deletes.begin(), batch.deletes.end());
    raise.parameters.Integer(static_cast<int64_t>(highest));
    calls.push_back(std::move(raise));
  }
  if (!batch.requests.empty()) calls.push_back(InsertRequests(batch.requests));
  if (!batch.model_versions.empty()) calls.push_back(InsertModels(batch.model_versions));
  if (!batch.released_artifacts.empty()) {
    calls.push_back(ReleaseArtifacts(batch.released_artifacts));
  }
  if (!batch.artifact_references.empty()) {
    calls.push_back(InsertArtifacts(batch.artifact_references));
  }
  if (batch.limits.has_value()) {
    calls.push_back({kClearLimits, {}});
    calls.push_back(InsertLimits(*batch.limits));
  }
  for (const DocumentWrite& write : batch.documents) calls.push_back(WriteDocument(write));
  return calls;
}

}  // namespace

absl::StatusOr<std::unique_ptr<PostgresWriter>> PostgresWriter::Open(
    const PostgresStoreOptions& options) {
  absl::StatusOr<PostgresConnection> connection =
      PostgresConnection::Open(options.uri, options.schema);
  if (!connection.ok()) return connection.status();
  const absl::Status status = MigratePostgres(*connection, options.schema);
  if (!status.ok()) return status;
  return std::unique_ptr<PostgresWriter>(new PostgresWriter(options, *std::move(connection)));
}

absl::Status PostgresWriter::Connect() {
  if (!connection_.broken()) return absl::OkStatus();
  absl::StatusOr<PostgresConnection> connection =
      PostgresConnection::Open(options_.uri, options_.schema);
  if (!connection.ok()) return connection.status();
  connection_ = *std::move(connection);
  return absl::OkStatus();
}

absl::StatusOr<uint64_t> PostgresWriter::BumpEpoch() {
  if (absl::Status status = Connect(); !status.ok()) return status;
  const absl::StatusOr<PostgresResult> row = connection_.Query(kBumpEpoch, {});
  if (!row.ok()) return row.status();
  return static_cast<uint64_t>(row->Integer(0, 0));
}

absl::Status PostgresWriter::Commit(uint64_t epoch, const WriteBatch& batch) {
  if (absl::Status status = Connect(); !status.ok()) return status;
  std::vector<Call> calls(1, Call{kCheckEpoch, {}});
  calls.front().parameters.Integer(static_cast<int64_t>(epoch));
  for (Call& call : CallsFor(batch)) calls.push_back(std::move(call));
  return connection_.Transaction(calls);
}

absl::StatusOr<int> PostgresWriter::RemoveExpiredRequests(int64_t now_ms, int max_scanned) {
  if (absl::Status status = Connect(); !status.ok()) return status;
  Parameters range;
  range.Integer(expiry_cursor_).Integer(now_ms).Integer(max_scanned);
  const absl::StatusOr<PostgresResult> rows = connection_.Query(kExpiredRequests, range);
  if (!rows.ok()) return rows.status();
  std::vector<int64_t> expired;
  for (int row = 0; row < rows->rows(); ++row) {
    if (rows->Integer(row, 1) != 0) expired.push_back(rows->Integer(row, 0));
  }
  if (!expired.empty()) {
    Parameters numbers;
    numbers.Array(kInteger, expired, [](int64_t number) { return number; });
    const absl::StatusOr<PostgresResult> deleted = connection_.Query(kDeleteRequests, numbers);
    if (!deleted.ok()) return deleted.status();
  }
  // At the end the next call begins anew.
  expiry_cursor_ = rows->rows() < max_scanned ? 0 : rows->Integer(rows->rows() - 1, 0);
  return static_cast<int>(expired.size());
}

}  // namespace switchyard::scheduler
