#include "scheduler/store/sqlite_reader.h"

#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/error.h"
#include "scheduler/store/document_bounds.h"
#include "scheduler/store/row_checksum.h"

namespace switchyard::scheduler {
namespace {

#define JOB_COLUMNS \
  "id, tenant, kind, state, priority, create_ms, end_ms, record_crc, identity_crc, record"
#define MODEL_COLUMNS "tenant, model, version, job, create_ms, crc, bytes"

#define DOCUMENTS_BETWEEN                                           \
  "tenant, id, crc, bytes FROM document WHERE collection = ?1 AND " \
  "(tenant, id) > (?2, ?3) AND (tenant, id) < (?4, ?5)"

std::string Text(const SqliteStatement& from, int column) {
  return std::string(from.Bytes(column));
}

// The columns of JOB_COLUMNS.
absl::Status ReadJob(const SqliteStatement& from, JobRow& row) {
  row.id = static_cast<JobId>(from.Integer(0));
  row.tenant = Text(from, 1);
  row.kind = static_cast<uint32_t>(from.Integer(2));
  row.state = static_cast<uint32_t>(from.Integer(3));
  row.priority = static_cast<uint32_t>(from.Integer(4));
  row.create_ms = from.Integer(5);
  row.end_ms = from.Integer(6);
  row.record = Text(from, 9);
  if (RecordChecksum(row) == from.Integer(7) && IdentityChecksum(row) == from.Integer(8))
    return absl::OkStatus();
  return DamagedRow("job", FormatJobId(row.id));
}

// The columns of JOB_COLUMNS, then spec_crc and spec.
absl::Status ReadJobWithSpec(const SqliteStatement& from, JobRow& row) {
  const absl::Status status = ReadJob(from, row);
  if (!status.ok()) return status;
  row.spec = Text(from, 11);
  if (SpecChecksum(row.id, row.spec) == from.Integer(10)) return absl::OkStatus();
  return DamagedRow("job", FormatJobId(row.id));
}

absl::StatusOr<RequestRow> ReadRequest(const SqliteStatement& from, const RequestKey& key) {
  RequestRow row;
  row.key = key;
  row.body_sha256 = Text(from, 0);
  row.first_job = static_cast<JobId>(from.Integer(1));
  row.job_count = static_cast<uint32_t>(from.Integer(2));
  row.create_ms = from.Integer(3);
  row.expire_ms = from.Integer(4);
  row.reply = Text(from, 6);
  if (RequestChecksum(row) == from.Integer(5)) return row;
  return DamagedRow("request", absl::StrCat(key.tenant, "/", key.method, "/", key.request_id));
}

absl::StatusOr<ModelVersionRow> ReadModelVersion(const SqliteStatement& from) {
  ModelVersionRow row;
  row.tenant = Text(from, 0);
  row.model = Text(from, 1);
  row.version = static_cast<uint32_t>(from.Integer(2));
  row.job = static_cast<JobId>(from.Integer(3));
  row.create_ms = from.Integer(4);
  row.bytes = Text(from, 6);
  if (ModelVersionChecksum(row) == from.Integer(5)) return row;
  return DamagedRow("model_version", absl::StrCat(row.tenant, "/", row.model, "/", row.version));
}

// The columns size_bytes, media_type, create_ms, crc.
absl::StatusOr<ArtifactReferenceRow> ReadArtifact(const SqliteStatement& from,
                                                  absl::string_view tenant,
                                                  absl::string_view sha256) {
  ArtifactReferenceRow row{.tenant = std::string(tenant),
                           .sha256 = std::string(sha256),
                           .size_bytes = from.Integer(0),
                           .media_type = Text(from, 1),
                           .create_ms = from.Integer(2)};
  if (ArtifactReferenceChecksum(row) == from.Integer(3)) return row;
  return DamagedRow("artifact_reference", absl::StrCat(tenant, "/", sha256));
}

// The columns tenant, id, crc, bytes.
absl::Status ReadDocument(const SqliteStatement& from, absl::string_view collection,
                          DocumentRow& row) {
  row.key = {std::string(collection), Text(from, 0), Text(from, 1)};
  row.bytes = Text(from, 3);
  if (DocumentChecksum(row.key, row.bytes) == from.Integer(2)) return absl::OkStatus();
  return DamagedRow("document", absl::StrCat(collection, "/", row.key.tenant, "/", row.key.id));
}

int64_t BeforeBound(JobId before) {
  return before == 0 ? std::numeric_limits<int64_t>::max() : static_cast<int64_t>(before);
}

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteReader>> SqliteReader::Open(const std::string& path) {
  absl::StatusOr<SqliteDatabase> database = SqliteDatabase::Open(path, /*read_only=*/true);
  if (!database.ok()) return database.status();
  std::unique_ptr<SqliteReader> reader(new SqliteReader(*std::move(database)));
  absl::Status status =
      reader->database_.Execute("PRAGMA cache_size = -16384; PRAGMA mmap_size = 1073741824");
  if (status.ok()) status = reader->PrepareAll();
  if (!status.ok()) return status;
  return reader;
}

absl::Status SqliteReader::PrepareAll() {
  const std::pair<SqliteStatement*, const char*> statements[] = {
      {&get_job_, "SELECT " JOB_COLUMNS ", spec_crc, spec FROM job WHERE id = ?1"},
      {&get_spec_, "SELECT spec_crc, spec FROM job WHERE id = ?1"},
      {&get_states_, "SELECT id, state FROM job WHERE id >= ?1 AND id < ?2 AND tenant = ?3"},
      {&list_jobs_, "SELECT " JOB_COLUMNS ", spec_crc, spec FROM job INDEXED BY job_tenant "
                    "WHERE tenant = ?1 AND id < ?2 AND id >= ?4 ORDER BY id DESC LIMIT ?3"},
      {&list_failed_, "SELECT " JOB_COLUMNS ", spec_crc, spec FROM job INDEXED BY job_failed "
                      "WHERE state = 6 AND tenant = ?1 AND id < ?2 AND id >= ?4 "
                      "ORDER BY id DESC LIMIT ?3"},
      {&load_live_,
       "SELECT " JOB_COLUMNS " FROM job INDEXED BY job_live WHERE end_ms = 0 ORDER BY id"},
      {&last_job_,
       "SELECT max(ifnull((SELECT max(id) FROM job), 0), value) FROM meta "
       "WHERE name = 'last_deleted_job'"},
      {&find_request_,
       "SELECT body_sha256, first_job, job_count, create_ms, expire_ms, crc, reply FROM request "
       "WHERE request_id = ?3 AND tenant = ?1 AND method = ?2"},
      {&get_model_, "SELECT " MODEL_COLUMNS
                    " FROM model_version WHERE tenant = ?1 AND model = ?2 AND version = ?3"},
      {&latest_model_,
       "SELECT " MODEL_COLUMNS " FROM model_version WHERE tenant = ?1 AND model = ?2 "
       "ORDER BY version DESC LIMIT 1"},
      {&list_models_,
       "SELECT " MODEL_COLUMNS " FROM model_version AS each WHERE tenant = ?1 AND model > ?2 "
       "AND version = (SELECT max(version) FROM model_version AS other "
       "WHERE other.tenant = each.tenant AND other.model = each.model) ORDER BY model LIMIT ?3"},
      {&find_artifact_,
       "SELECT size_bytes, media_type, create_ms, crc FROM artifact_reference "
       "WHERE tenant = ?1 AND sha256 = ?2"},
      {&list_artifacts_,
       "SELECT size_bytes, media_type, create_ms, crc, sha256 FROM artifact_reference "
       "WHERE tenant = ?1 AND sha256 > ?2 ORDER BY sha256 LIMIT ?3"},
      {&sum_artifacts_,
       "SELECT count(*), ifnull(sum(size_bytes), 0) FROM artifact_reference WHERE tenant = ?1"},
      {&any_artifact_, "SELECT 1 FROM artifact_reference WHERE sha256 = ?1 LIMIT 1"},
      {&get_limits_,
       "SELECT worker, device, job_class, max_running, crc FROM class_limit "
       "ORDER BY worker, device, job_class"},
      {&get_document_,
       "SELECT tenant, id, crc, bytes FROM document "
       "WHERE collection = ?1 AND tenant = ?2 AND id = ?3"},
      {&list_documents_, "SELECT " DOCUMENTS_BETWEEN " ORDER BY tenant, id LIMIT ?6"},
      {&list_documents_down_,
       "SELECT " DOCUMENTS_BETWEEN " ORDER BY tenant DESC, id DESC LIMIT ?6"},
  };
  for (const auto& [statement, sql] : statements) {
    absl::StatusOr<SqliteStatement> prepared = database_.Prepare(sql);
    if (!prepared.ok()) return prepared.status();
    *statement = *std::move(prepared);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<JobRow>> SqliteReader::GetJobs(absl::Span<const JobId> ids) {
  std::vector<JobRow> rows;
  rows.reserve(ids.size());
  for (const JobId id : ids) {
    StatementReset reset(get_job_);
    get_job_.Bind(1, static_cast<int64_t>(id));
    const absl::StatusOr<bool> found = get_job_.Step();
    if (!found.ok()) return found.status();
    if (!*found) continue;
    const absl::Status status = ReadJobWithSpec(get_job_, rows.emplace_back());
    if (!status.ok()) return status;
  }
  return rows;
}

absl::StatusOr<std::vector<std::string>> SqliteReader::GetSpecs(absl::Span<const JobId> ids) {
  std::vector<std::string> specs;
  specs.reserve(ids.size());
  for (const JobId id : ids) {
    StatementReset reset(get_spec_);
    get_spec_.Bind(1, static_cast<int64_t>(id));
    const absl::StatusOr<bool> found = get_spec_.Step();
    if (!found.ok()) return found.status();
    if (!*found) return NotFound("job", FormatJobId(id));
    specs.push_back(Text(get_spec_, 1));
    if (SpecChecksum(id, specs.back()) != get_spec_.Integer(0))
      return DamagedRow("job", FormatJobId(id));
  }
  return specs;
}

absl::StatusOr<std::vector<uint32_t>> SqliteReader::GetStates(absl::string_view tenant, JobId first,
                                                              uint32_t count) {
  std::vector<uint32_t> states(count);
  StatementReset reset(get_states_);
  get_states_.Bind(1, static_cast<int64_t>(first));
  get_states_.Bind(2, static_cast<int64_t>(first + count));
  get_states_.BindText(3, tenant);
  absl::StatusOr<bool> found = get_states_.Step();
  for (; found.ok() && *found; found = get_states_.Step()) {
    states[get_states_.Integer(0) - first] = static_cast<uint32_t>(get_states_.Integer(1));
  }
  if (!found.ok()) return found.status();
  return states;
}

absl::StatusOr<JobPage> SqliteReader::ListJobs(const JobQuery& query) {
  // The failed are few among many, and what operators ask for: they have an index of their own.
  const bool only_failed = query.states == 1u << 6;
  SqliteStatement& list = only_failed ? list_failed_ : list_jobs_;
  StatementReset reset(list);
  list.BindText(1, query.tenant);
  list.Bind(2, BeforeBound(query.before));
  list.Bind(3, query.max_scanned);
  list.Bind(4, static_cast<int64_t>(query.from));
  JobPage page;
  int scanned = 0;
  while (static_cast<int>(page.rows.size()) < query.max_rows) {
    const absl::StatusOr<bool> found = list.Step();
    if (!found.ok()) return found.status();
    if (!*found) {
      if (scanned < query.max_scanned) page.next_before = 0;
      return page;
    }
    ++scanned;
    page.next_before = static_cast<JobId>(list.Integer(0));
    const uint32_t kind = static_cast<uint32_t>(list.Integer(2));
    const uint32_t state = static_cast<uint32_t>(list.Integer(3));
    if (query.kind != 0 && kind != query.kind) continue;
    if (query.states != 0 && (query.states >> state & 1) == 0) continue;
    const absl::Status status = ReadJobWithSpec(list, page.rows.emplace_back());
    if (!status.ok()) return status;
  }
  return page;
}

absl::Status SqliteReader::LoadLive(const std::function<absl::Status(JobRow&)>& row) {
  StatementReset reset(load_live_);
  JobRow job;
  absl::StatusOr<bool> found = load_live_.Step();
  for (; found.ok() && *found; found = load_live_.Step()) {
    absl::Status status = ReadJob(load_live_, job);
    if (status.ok()) status = row(job);
    if (!status.ok()) return status;
  }
  return found.status();
}

absl::StatusOr<JobId> SqliteReader::LastJobId() {
  StatementReset reset(last_job_);
  const absl::StatusOr<bool> found = last_job_.Step();
  if (!found.ok()) return found.status();
  return static_cast<JobId>(last_job_.Integer(0));
}

absl::StatusOr<std::vector<std::optional<RequestRow>>> SqliteReader::FindRequests(
    absl::Span<const RequestKey> keys) {
  std::vector<std::optional<RequestRow>> rows(keys.size());
  for (size_t i = 0; i < keys.size(); ++i) {
    StatementReset reset(find_request_);
    find_request_.BindText(1, keys[i].tenant);
    find_request_.BindText(2, keys[i].method);
    find_request_.BindText(3, keys[i].request_id);
    const absl::StatusOr<bool> found = find_request_.Step();
    if (!found.ok()) return found.status();
    if (!*found) continue;
    absl::StatusOr<RequestRow> row = ReadRequest(find_request_, keys[i]);
    if (!row.ok()) return row.status();
    rows[i] = *std::move(row);
  }
  return rows;
}

absl::StatusOr<ModelVersionRow> SqliteReader::GetModelVersion(absl::string_view tenant,
                                                              absl::string_view model,
                                                              uint32_t version) {
  SqliteStatement& get = version == 0 ? latest_model_ : get_model_;
  StatementReset reset(get);
  get.BindText(1, tenant);
  get.BindText(2, model);
  if (version != 0) get.Bind(3, version);
  const absl::StatusOr<bool> found = get.Step();
  if (!found.ok()) return found.status();
  if (*found) return ReadModelVersion(get);
  return ModelNotFound(model, version);
}

absl::StatusOr<std::vector<ModelVersionRow>> SqliteReader::ListModels(absl::string_view tenant,
                                                                      absl::string_view after,
                                                                      int max_rows) {
  StatementReset reset(list_models_);
  list_models_.BindText(1, tenant);
  list_models_.BindText(2, after);
  list_models_.Bind(3, max_rows);
  std::vector<ModelVersionRow> rows;
  absl::StatusOr<bool> found = list_models_.Step();
  for (; found.ok() && *found; found = list_models_.Step()) {
    absl::StatusOr<ModelVersionRow> row = ReadModelVersion(list_models_);
    if (!row.ok()) return row.status();
    rows.push_back(*std::move(row));
  }
  if (!found.ok()) return found.status();
  return rows;
}

absl::StatusOr<std::optional<ArtifactReferenceRow>> SqliteReader::FindArtifactReference(
    absl::string_view tenant, absl::string_view sha256) {
  StatementReset reset(find_artifact_);
  find_artifact_.BindText(1, tenant);
  find_artifact_.BindText(2, sha256);
  const absl::StatusOr<bool> found = find_artifact_.Step();
  if (!found.ok()) return found.status();
  if (!*found) return std::nullopt;
  absl::StatusOr<ArtifactReferenceRow> row = ReadArtifact(find_artifact_, tenant, sha256);
  if (!row.ok()) return row.status();
  return *std::move(row);
}

absl::StatusOr<std::vector<ArtifactReferenceRow>> SqliteReader::ListArtifactReferences(
    absl::string_view tenant, absl::string_view after, int max_rows) {
  StatementReset reset(list_artifacts_);
  list_artifacts_.BindText(1, tenant);
  list_artifacts_.BindText(2, after);
  list_artifacts_.Bind(3, max_rows);
  std::vector<ArtifactReferenceRow> rows;
  absl::StatusOr<bool> found = list_artifacts_.Step();
  for (; found.ok() && *found; found = list_artifacts_.Step()) {
    absl::StatusOr<ArtifactReferenceRow> row =
        ReadArtifact(list_artifacts_, tenant, Text(list_artifacts_, 4));
    if (!row.ok()) return row.status();
    rows.push_back(*std::move(row));
  }
  if (!found.ok()) return found.status();
  return rows;
}

absl::StatusOr<ArtifactUse> SqliteReader::SumArtifactReferences(absl::string_view tenant) {
  StatementReset reset(sum_artifacts_);
  sum_artifacts_.BindText(1, tenant);
  const absl::StatusOr<bool> found = sum_artifacts_.Step();
  if (!found.ok()) return found.status();
  return ArtifactUse{sum_artifacts_.Integer(0), sum_artifacts_.Integer(1)};
}

absl::StatusOr<std::vector<bool>> SqliteReader::AreArtifactsReferenced(
    absl::Span<const std::string> sha256s) {
  std::vector<bool> referenced;
  for (const std::string& sha256 : sha256s) {
    StatementReset reset(any_artifact_);
    any_artifact_.BindText(1, sha256);
    const absl::StatusOr<bool> found = any_artifact_.Step();
    if (!found.ok()) return found.status();
    referenced.push_back(*found);
  }
  return referenced;
}

absl::StatusOr<std::vector<LimitRow>> SqliteReader::GetLimits() {
  StatementReset reset(get_limits_);
  std::vector<LimitRow> rows;
  absl::StatusOr<bool> found = get_limits_.Step();
  for (; found.ok() && *found; found = get_limits_.Step()) {
    LimitRow& row = rows.emplace_back();
    row.worker = Text(get_limits_, 0);
    row.device = Text(get_limits_, 1);
    row.job_class = static_cast<uint32_t>(get_limits_.Integer(2));
    row.max_running = static_cast<uint32_t>(get_limits_.Integer(3));
    if (LimitChecksum(row) != get_limits_.Integer(4)) {
      return DamagedRow("class_limit",
                        absl::StrCat(row.worker, "/", row.device, "/", row.job_class));
    }
  }
  if (!found.ok()) return found.status();
  return rows;
}

absl::StatusOr<std::optional<DocumentRow>> SqliteReader::GetDocument(const DocumentKey& key) {
  StatementReset reset(get_document_);
  get_document_.BindText(1, key.collection);
  get_document_.BindText(2, key.tenant);
  get_document_.BindText(3, key.id);
  const absl::StatusOr<bool> found = get_document_.Step();
  if (!found.ok()) return found.status();
  if (!*found) return std::nullopt;
  DocumentRow row;
  const absl::Status status = ReadDocument(get_document_, key.collection, row);
  if (!status.ok()) return status;
  return row;
}

absl::StatusOr<std::vector<DocumentRow>> SqliteReader::ListDocuments(const DocumentQuery& query) {
  const DocumentBounds bounds(query);
  SqliteStatement& list = query.descending ? list_documents_down_ : list_documents_;
  StatementReset reset(list);
  list.BindText(1, query.collection);
  list.BindText(2, bounds.above.first);
  list.BindText(3, bounds.above.second);
  list.BindText(4, bounds.below.first);
  list.BindText(5, bounds.below.second);
  list.Bind(6, query.max_rows);
  std::vector<DocumentRow> rows;
  absl::StatusOr<bool> found = list.Step();
  for (; found.ok() && *found; found = list.Step()) {
    const absl::Status status = ReadDocument(list, query.collection, rows.emplace_back());
    if (!status.ok()) return status;
  }
  if (!found.ok()) return found.status();
  return rows;
}

}  // namespace switchyard::scheduler
