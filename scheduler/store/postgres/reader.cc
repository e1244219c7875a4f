#include "scheduler/store/postgres/reader.h"

#include <limits>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "common/status/error.h"
#include "scheduler/store/document_bounds.h"
#include "scheduler/store/row_checksum.h"

namespace switchyard::scheduler {
namespace {

// Live rows read at once.
constexpr int kLiveRows = 5000;

#define JOB_COLUMNS                                                                    \
  "job.id, job.tenant, job.kind, job.state, job.priority, job.create_ms, job.end_ms, " \
  "job.record_crc, job.identity_crc, job.record"
#define MODEL_COLUMNS "tenant, model, version, job, create_ms, crc, bytes"

// The rows looked at, then those of them that match; the first two columns say how far the look
// went though nothing matched.
#define LIST_JOBS(only)                                                                        \
  "WITH scanned AS (SELECT id, kind, state FROM job WHERE tenant = $1 AND id < $2 " only       \
  "AND id >= $7 ORDER BY id DESC LIMIT $3), "                                                  \
  "picked AS (SELECT id FROM scanned WHERE ($4::BIGINT = 0 OR kind = $4) AND "                 \
  "($5::BIGINT = 0 OR ($5 >> state::INT) & 1 = 1) ORDER BY id DESC LIMIT $6) "                 \
  "SELECT looked.number, looked.last, " JOB_COLUMNS                                            \
  ", spec_crc, spec FROM (SELECT count(*) AS number, min(id) AS last FROM scanned) AS looked " \
  "LEFT JOIN (job JOIN picked ON job.id = picked.id) ON TRUE ORDER BY job.id DESC"

#define DOCUMENTS_BETWEEN                                                                          \
  "SELECT tenant, id, crc, bytes FROM document WHERE collection = $1 AND (tenant, id) > ($2, $3) " \
  "AND (tenant, id) < ($4, $5) "

constexpr PostgresStatement kGetJobs = {
    "get_jobs", "SELECT " JOB_COLUMNS ", spec_crc, spec FROM job WHERE id = ANY($1::BIGINT[])"};
constexpr PostgresStatement kGetSpecs = {
    "get_specs", "SELECT id, spec_crc, spec FROM job WHERE id = ANY($1::BIGINT[])"};
constexpr PostgresStatement kGetStates = {
    "get_states", "SELECT id, state FROM job WHERE id >= $1 AND id < $2 AND tenant = $3"};
constexpr PostgresStatement kListJobs = {"list_jobs", LIST_JOBS("")};
constexpr PostgresStatement kListFailed = {"list_failed", LIST_JOBS("AND state = 6 ")};
constexpr PostgresStatement kLoadLive = {
    "load_live",
    "SELECT " JOB_COLUMNS " FROM job WHERE end_ms = 0 AND id > $1 ORDER BY id LIMIT $2"};
constexpr PostgresStatement kLastJob = {
    "last_job",
    "SELECT greatest((SELECT max(id) FROM job), value) FROM meta WHERE name = 'last_deleted_job'"};
constexpr PostgresStatement kFindRequests = {
    "find_requests",
    "SELECT asked.place, body_sha256, first_job, job_count, create_ms, expire_ms, crc, reply "
    "FROM unnest($1::TEXT[], $2::TEXT[], $3::TEXT[]) WITH ORDINALITY "
    "AS asked (tenant, method, request_id, place) JOIN request USING (request_id, tenant, method)"};
constexpr PostgresStatement kGetModel = {
    "get_model", "SELECT " MODEL_COLUMNS
                 " FROM model_version WHERE tenant = $1 AND model = $2 AND version = $3"};
constexpr PostgresStatement kLatestModel = {"latest_model",
                                            "SELECT " MODEL_COLUMNS
                                            " FROM model_version WHERE tenant = $1 AND model = $2 "
                                            "ORDER BY version DESC LIMIT 1"};
constexpr PostgresStatement kListModels = {"list_models",
                                           "SELECT DISTINCT ON (model) " MODEL_COLUMNS
                                           " FROM model_version WHERE tenant = $1 AND model > $2 "
                                           "ORDER BY model, version DESC LIMIT $3"};
constexpr PostgresStatement kFindArtifact = {
    "find_artifact",
    "SELECT size_bytes, media_type, create_ms, crc FROM artifact_reference "
    "WHERE tenant = $1 AND sha256 = $2"};
constexpr PostgresStatement kListArtifacts = {
    "list_artifacts",
    "SELECT size_bytes, media_type, create_ms, crc, sha256 FROM artifact_reference "
    "WHERE tenant = $1 AND sha256 COLLATE \"C\" > $2 ORDER BY sha256 COLLATE \"C\" LIMIT $3"};
constexpr PostgresStatement kSumArtifacts = {
    "sum_artifacts",
    "SELECT count(*)::BIGINT, coalesce(sum(size_bytes), 0)::BIGINT FROM artifact_reference "
    "WHERE tenant = $1"};
constexpr PostgresStatement kAnyArtifacts = {
    "any_artifacts",
    "SELECT (EXISTS (SELECT 1 FROM artifact_reference WHERE sha256 = asked.sha256))::INT::BIGINT "
    "FROM unnest($1::TEXT[]) WITH ORDINALITY AS asked (sha256, place) ORDER BY place"};
constexpr PostgresStatement kGetLimits = {
    "get_limits",
    "SELECT worker, device, job_class, max_running, crc FROM class_limit "
    "ORDER BY worker, device, job_class"};
constexpr PostgresStatement kGetDocument = {
    "get_document",
    "SELECT tenant, id, crc, bytes FROM document WHERE collection = $1 AND tenant = $2 AND id = "
    "$3"};
constexpr PostgresStatement kListDocuments = {"list_documents",
                                              DOCUMENTS_BETWEEN "ORDER BY tenant, id LIMIT $6"};
constexpr PostgresStatement kListDocumentsDown = {
    "list_documents_down", DOCUMENTS_BETWEEN "ORDER BY tenant DESC, id DESC LIMIT $6"};

// One row of an answer, columns counted from `first`.
struct RowView {
  const PostgresResult& result;
  int row;
  int first = 0;
  int64_t Integer(int column) const { return result.Integer(row, first + column); }
  std::string Text(int column) const { return result.Text(row, first + column); }
};

// The columns of JOB_COLUMNS.
absl::Status ReadJob(const RowView& from, JobRow& row) {
  row.id = static_cast<JobId>(from.Integer(0));
  row.tenant = from.Text(1);
  row.kind = static_cast<uint32_t>(from.Integer(2));
  row.state = static_cast<uint32_t>(from.Integer(3));
  row.priority = static_cast<uint32_t>(from.Integer(4));
  row.create_ms = from.Integer(5);
  row.end_ms = from.Integer(6);
  row.record = from.Text(9);
  if (RecordChecksum(row) == from.Integer(7) && IdentityChecksum(row) == from.Integer(8))
    return absl::OkStatus();
  return DamagedRow("job", FormatJobId(row.id));
}

// The columns of JOB_COLUMNS, then spec_crc and spec.
absl::Status ReadJobWithSpec(const RowView& from, JobRow& row) {
  const absl::Status status = ReadJob(from, row);
  if (!status.ok()) return status;
  row.spec = from.Text(11);
  if (SpecChecksum(row.id, row.spec) == from.Integer(10)) return absl::OkStatus();
  return DamagedRow("job", FormatJobId(row.id));
}

absl::StatusOr<RequestRow> ReadRequest(const RowView& from, const RequestKey& key) {
  RequestRow row;
  row.key = key;
  row.body_sha256 = from.Text(1);
  row.first_job = static_cast<JobId>(from.Integer(2));
  row.job_count = static_cast<uint32_t>(from.Integer(3));
  row.create_ms = from.Integer(4);
  row.expire_ms = from.Integer(5);
  row.reply = from.Text(7);
  if (RequestChecksum(row) == from.Integer(6)) return row;
  return DamagedRow("request", absl::StrCat(key.tenant, "/", key.method, "/", key.request_id));
}

absl::StatusOr<ModelVersionRow> ReadModelVersion(const RowView& from) {
  ModelVersionRow row;
  row.tenant = from.Text(0);
  row.model = from.Text(1);
  row.version = static_cast<uint32_t>(from.Integer(2));
  row.job = static_cast<JobId>(from.Integer(3));
  row.create_ms = from.Integer(4);
  row.bytes = from.Text(6);
  if (ModelVersionChecksum(row) == from.Integer(5)) return row;
  return DamagedRow("model_version", absl::StrCat(row.tenant, "/", row.model, "/", row.version));
}

// The columns size_bytes, media_type, create_ms, crc.
absl::StatusOr<ArtifactReferenceRow> ReadArtifact(const RowView& from, absl::string_view tenant,
                                                  absl::string_view sha256) {
  ArtifactReferenceRow row{.tenant = std::string(tenant),
                           .sha256 = std::string(sha256),
                           .size_bytes = from.Integer(0),
                           .media_type = from.Text(1),
                           .create_ms = from.Integer(2)};
  if (ArtifactReferenceChecksum(row) == from.Integer(3)) return row;
  return DamagedRow("artifact_reference", absl::StrCat(tenant, "/", sha256));
}

// The columns tenant, id, crc, bytes.
absl::StatusOr<DocumentRow> ReadDocument(const RowView& from, absl::string_view collection) {
  DocumentRow row;
  row.key = {std::string(collection), from.Text(0), from.Text(1)};
  row.bytes = from.Text(3);
  if (DocumentChecksum(row.key, row.bytes) == from.Integer(2)) return row;
  return DamagedRow("document", absl::StrCat(collection, "/", row.key.tenant, "/", row.key.id));
}

// `read` of every row of `result`; ends with the first error.
template <class Row, class Read>
absl::StatusOr<std::vector<Row>> ReadAll(const absl::StatusOr<PostgresResult>& result, Read read) {
  if (!result.ok()) return result.status();
  std::vector<Row> rows;
  for (int i = 0; i < result->rows(); ++i) {
    absl::StatusOr<Row> row = read(RowView{*result, i});
    if (!row.ok()) return row.status();
    rows.push_back(*std::move(row));
  }
  return rows;
}

Parameters Ids(absl::Span<const JobId> ids) {
  Parameters parameters;
  parameters.Array(PostgresType::kInteger, ids, [](JobId id) { return static_cast<int64_t>(id); });
  return parameters;
}

}  // namespace

absl::StatusOr<std::unique_ptr<PostgresReader>> PostgresReader::Open(
    const PostgresStoreOptions& options) {
  absl::StatusOr<PostgresConnection> connection =
      PostgresConnection::Open(options.uri, options.schema);
  if (!connection.ok()) return connection.status();
  return std::unique_ptr<PostgresReader>(new PostgresReader(options, *std::move(connection)));
}

absl::StatusOr<PostgresResult> PostgresReader::Query(const PostgresStatement& statement,
                                                     const Parameters& parameters) {
  absl::StatusOr<PostgresResult> result = connection_.Query(statement, parameters);
  if (result.ok() || !connection_.broken()) return result;
  absl::StatusOr<PostgresConnection> connection =
      PostgresConnection::Open(options_.uri, options_.schema);
  if (!connection.ok()) return connection.status();
  connection_ = *std::move(connection);
  return connection_.Query(statement, parameters);
}

absl::StatusOr<std::vector<JobRow>> PostgresReader::GetJobs(absl::Span<const JobId> ids) {
  absl::StatusOr<std::vector<JobRow>> found =
      ReadAll<JobRow>(Query(kGetJobs, Ids(ids)), [](const RowView& from) {
        JobRow row;
        const absl::Status status = ReadJobWithSpec(from, row);
        return status.ok() ? absl::StatusOr<JobRow>(std::move(row)) : status;
      });
  if (!found.ok()) return found.status();
  absl::flat_hash_map<JobId, const JobRow*> by_id;
  for (const JobRow& row : *found) by_id.emplace(row.id, &row);
  std::vector<JobRow> rows;
  for (const JobId id : ids) {
    const auto row = by_id.find(id);
    if (row != by_id.end()) rows.push_back(*row->second);
  }
  return rows;
}

absl::StatusOr<std::vector<std::string>> PostgresReader::GetSpecs(absl::Span<const JobId> ids) {
  const absl::StatusOr<PostgresResult> result = Query(kGetSpecs, Ids(ids));
  if (!result.ok()) return result.status();
  absl::flat_hash_map<JobId, std::string> by_id;
  for (int row = 0; row < result->rows(); ++row) {
    const JobId id = static_cast<JobId>(result->Integer(row, 0));
    std::string spec = result->Text(row, 2);
    if (SpecChecksum(id, spec) != result->Integer(row, 1)) {
      return DamagedRow("job", FormatJobId(id));
    }
    by_id.emplace(id, std::move(spec));
  }
  std::vector<std::string> specs;
  specs.reserve(ids.size());
  for (const JobId id : ids) {
    const auto spec = by_id.find(id);
    if (spec == by_id.end()) return NotFound("job", FormatJobId(id));
    specs.push_back(spec->second);
  }
  return specs;
}

absl::StatusOr<std::vector<uint32_t>> PostgresReader::GetStates(absl::string_view tenant,
                                                                JobId first, uint32_t count) {
  Parameters parameters;
  parameters.Integer(static_cast<int64_t>(first))
      .Integer(static_cast<int64_t>(first + count))
      .Text(tenant);
  const absl::StatusOr<PostgresResult> result = Query(kGetStates, parameters);
  if (!result.ok()) return result.status();
  std::vector<uint32_t> states(count);
  for (int row = 0; row < result->rows(); ++row) {
    states[result->Integer(row, 0) - first] = static_cast<uint32_t>(result->Integer(row, 1));
  }
  return states;
}

absl::StatusOr<JobPage> PostgresReader::ListJobs(const JobQuery& query) {
  constexpr uint32_t kOnlyFailed = 1u << 6;
  constexpr int kJob = 2;  // First column of the job.
  Parameters parameters;
  parameters.Text(query.tenant)
      .Integer(query.before == 0 ? std::numeric_limits<int64_t>::max()
                                 : static_cast<int64_t>(query.before))
      .Integer(query.max_scanned)
      .Integer(query.kind)
      .Integer(query.states)
      .Integer(query.max_rows)
      .Integer(static_cast<int64_t>(query.from));
  const absl::StatusOr<PostgresResult> result =
      Query(query.states == kOnlyFailed ? kListFailed : kListJobs, parameters);
  if (!result.ok()) return result.status();
  JobPage page;
  for (int row = 0; row < result->rows() && !result->IsNull(row, kJob); ++row) {
    const absl::Status status =
        ReadJobWithSpec(RowView{*result, row, kJob}, page.rows.emplace_back());
    if (!status.ok()) return status;
  }
  if (static_cast<int>(page.rows.size()) == query.max_rows) {
    page.next_before = page.rows.back().id;
  } else if (result->Integer(0, 0) == query.max_scanned) {
    page.next_before = static_cast<JobId>(result->Integer(0, 1));
  }
  return page;
}

absl::Status PostgresReader::LoadLive(const std::function<absl::Status(JobRow&)>& row) {
  int64_t last = 0;
  while (true) {
    Parameters parameters;
    parameters.Integer(last).Integer(kLiveRows);
    const absl::StatusOr<PostgresResult> result = Query(kLoadLive, parameters);
    if (!result.ok()) return result.status();
    for (int i = 0; i < result->rows(); ++i) {
      JobRow job;
      absl::Status status = ReadJob(RowView{*result, i}, job);
      last = static_cast<int64_t>(job.id);
      if (status.ok()) status = row(job);
      if (!status.ok()) return status;
    }
    if (result->rows() < kLiveRows) return absl::OkStatus();
  }
}

absl::StatusOr<JobId> PostgresReader::LastJobId() {
  const absl::StatusOr<PostgresResult> result = Query(kLastJob, {});
  if (!result.ok()) return result.status();
  return static_cast<JobId>(result->Integer(0, 0));
}

absl::StatusOr<std::vector<std::optional<RequestRow>>> PostgresReader::FindRequests(
    absl::Span<const RequestKey> keys) {
  Parameters parameters;
  parameters
      .Array(PostgresType::kText, keys,
             [](const RequestKey& key) { return absl::string_view(key.tenant); })
      .Array(PostgresType::kText, keys,
             [](const RequestKey& key) { return absl::string_view(key.method); })
      .Array(PostgresType::kText, keys,
             [](const RequestKey& key) { return absl::string_view(key.request_id); });
  const absl::StatusOr<PostgresResult> result = Query(kFindRequests, parameters);
  if (!result.ok()) return result.status();
  std::vector<std::optional<RequestRow>> rows(keys.size());
  for (int i = 0; i < result->rows(); ++i) {
    const size_t place = static_cast<size_t>(result->Integer(i, 0) - 1);
    absl::StatusOr<RequestRow> row = ReadRequest(RowView{*result, i}, keys[place]);
    if (!row.ok()) return row.status();
    rows[place] = *std::move(row);
  }
  return rows;
}

absl::StatusOr<ModelVersionRow> PostgresReader::GetModelVersion(absl::string_view tenant,
                                                                absl::string_view model,
                                                                uint32_t version) {
  Parameters parameters;
  parameters.Text(tenant).Text(model);
  if (version != 0) parameters.Integer(version);
  const absl::StatusOr<PostgresResult> result =
      Query(version == 0 ? kLatestModel : kGetModel, parameters);
  if (!result.ok()) return result.status();
  if (result->rows() == 0) return ModelNotFound(model, version);
  return ReadModelVersion(RowView{*result, 0});
}

absl::StatusOr<std::vector<ModelVersionRow>> PostgresReader::ListModels(absl::string_view tenant,
                                                                        absl::string_view after,
                                                                        int max_rows) {
  Parameters parameters;
  parameters.Text(tenant).Text(after).Integer(max_rows);
  return ReadAll<ModelVersionRow>(Query(kListModels, parameters), ReadModelVersion);
}

absl::StatusOr<std::optional<ArtifactReferenceRow>> PostgresReader::FindArtifactReference(
    absl::string_view tenant, absl::string_view sha256) {
  Parameters parameters;
  parameters.Text(tenant).Text(sha256);
  const absl::StatusOr<PostgresResult> result = Query(kFindArtifact, parameters);
  if (!result.ok()) return result.status();
  if (result->rows() == 0) return std::nullopt;
  absl::StatusOr<ArtifactReferenceRow> row = ReadArtifact(RowView{*result, 0}, tenant, sha256);
  if (!row.ok()) return row.status();
  return *std::move(row);
}

absl::StatusOr<std::vector<ArtifactReferenceRow>> PostgresReader::ListArtifactReferences(
    absl::string_view tenant, absl::string_view after, int max_rows) {
  Parameters parameters;
  parameters.Text(tenant).Text(after).Integer(max_rows);
  return ReadAll<ArtifactReferenceRow>(Query(kListArtifacts, parameters), [&](const RowView& from) {
    return ReadArtifact(from, tenant, from.Text(4));
  });
}

absl::StatusOr<ArtifactUse> PostgresReader::SumArtifactReferences(absl::string_view tenant) {
  Parameters parameters;
  parameters.Text(tenant);
  const absl::StatusOr<PostgresResult> result = Query(kSumArtifacts, parameters);
  if (!result.ok()) return result.status();
  return ArtifactUse{result->Integer(0, 0), result->Integer(0, 1)};
}

absl::StatusOr<std::vector<bool>> PostgresReader::AreArtifactsReferenced(
    absl::Span<const std::string> sha256s) {
  Parameters parameters;
  parameters.Array(PostgresType::kText, sha256s,
                   [](const std::string& sha256) { return absl::string_view(sha256); });
  const absl::StatusOr<PostgresResult> result = Query(kAnyArtifacts, parameters);
  if (!result.ok()) return result.status();
  std::vector<bool> referenced;
  for (int row = 0; row < result->rows(); ++row) referenced.push_back(result->Integer(row, 0) != 0);
  return referenced;
}

absl::StatusOr<std::vector<LimitRow>> PostgresReader::GetLimits() {
  return ReadAll<LimitRow>(
      Query(kGetLimits, {}), [](const RowView& from) -> absl::StatusOr<LimitRow> {
        LimitRow row;
        row.worker = from.Text(0);
        row.device = from.Text(1);
        row.job_class = static_cast<uint32_t>(from.Integer(2));
        row.max_running = static_cast<uint32_t>(from.Integer(3));
        if (LimitChecksum(row) == from.Integer(4)) return row;
        return DamagedRow("class_limit",
                          absl::StrCat(row.worker, "/", row.device, "/", row.job_class));
      });
}

absl::StatusOr<std::optional<DocumentRow>> PostgresReader::GetDocument(const DocumentKey& key) {
  Parameters parameters;
  parameters.Text(key.collection).Text(key.tenant).Text(key.id);
  const absl::StatusOr<PostgresResult> result = Query(kGetDocument, parameters);
  if (!result.ok()) return result.status();
  if (result->rows() == 0) return std::nullopt;
  absl::StatusOr<DocumentRow> row = ReadDocument(RowView{*result, 0}, key.collection);
  if (!row.ok()) return row.status();
  return *std::move(row);
}

absl::StatusOr<std::vector<DocumentRow>> PostgresReader::ListDocuments(const DocumentQuery& query) {
  const DocumentBounds bounds(query);
  Parameters parameters;
  parameters.Text(query.collection)
      .Text(bounds.above.first)
      .Text(bounds.above.second)
      .Text(bounds.below.first)
      .Text(bounds.below.second)
      .Integer(query.max_rows);
  return ReadAll<DocumentRow>(
      Query(query.descending ? kListDocumentsDown : kListDocuments, parameters),
      [&](const RowView& from) { return ReadDocument(from, query.collection); });
}

}  // namespace switchyard::scheduler
