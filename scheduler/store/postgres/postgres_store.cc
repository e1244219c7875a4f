#include "scheduler/store/postgres/postgres_store.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/status/error.h"
#include "scheduler/store/connection_pool.h"
#include "scheduler/store/postgres/reader.h"
#include "scheduler/store/postgres/writer.h"

namespace switchyard::scheduler {
namespace {

class PostgresStore final : public JobStore {
  // Above its uses, whose types depend on it.
  template <typename Body>
  auto Read(Body body) {
    std::unique_ptr<PostgresReader> reader = readers_.Take();
    auto answer = body(*reader);
    readers_.Add(std::move(reader));
    return answer;
  }

 public:
  explicit PostgresStore(std::unique_ptr<PostgresWriter> writer) : writer_(std::move(writer)) {}
  void Add(std::unique_ptr<PostgresReader> reader) { readers_.Add(std::move(reader)); }

  absl::StatusOr<uint64_t> BumpEpoch() override { return writer_->BumpEpoch(); }
  absl::Status Commit(uint64_t epoch, const WriteBatch& batch) override {
    return writer_->Commit(epoch, batch);
  }
  absl::StatusOr<int> RemoveExpiredRequests(int64_t now_ms, int max_scanned) override {
    return writer_->RemoveExpiredRequests(now_ms, max_scanned);
  }

  absl::StatusOr<JobRow> GetJob(JobId id) override {
    absl::StatusOr<std::vector<JobRow>> rows = GetJobs({id});
    if (!rows.ok()) return rows.status();
    if (rows->empty()) return NotFound("job", FormatJobId(id));
    return std::move(rows->front());
  }
  absl::StatusOr<std::vector<JobRow>> GetJobs(absl::Span<const JobId> ids) override {
    return Read([&](PostgresReader& reader) { return reader.GetJobs(ids); });
  }
  absl::StatusOr<std::vector<std::string>> GetSpecs(absl::Span<const JobId> ids) override {
    return Read([&](PostgresReader& reader) { return reader.GetSpecs(ids); });
  }
  absl::StatusOr<std::vector<uint32_t>> GetStates(absl::string_view tenant, JobId first,
                                                  uint32_t count) override {
    return Read([&](PostgresReader& reader) { return reader.GetStates(tenant, first, count); });
  }
  absl::StatusOr<JobPage> ListJobs(const JobQuery& query) override {
    return Read([&](PostgresReader& reader) { return reader.ListJobs(query); });
  }
  absl::Status LoadLive(const std::function<absl::Status(JobRow&)>& row) override {
    return Read([&](PostgresReader& reader) { return reader.LoadLive(row); });
  }
  absl::StatusOr<JobId> LastJobId() override {
    return Read([](PostgresReader& reader) { return reader.LastJobId(); });
  }
  absl::StatusOr<std::vector<std::optional<RequestRow>>> FindRequests(
      absl::Span<const RequestKey> keys) override {
    return Read([&](PostgresReader& reader) { return reader.FindRequests(keys); });
  }
  absl::StatusOr<ModelVersionRow> GetModelVersion(absl::string_view tenant, absl::string_view model,
                                                  uint32_t version) override {
    return Read(
        [&](PostgresReader& reader) { return reader.GetModelVersion(tenant, model, version); });
  }
  absl::StatusOr<std::vector<ModelVersionRow>> ListModels(absl::string_view tenant,
                                                          absl::string_view after,
                                                          int max_rows) override {
    return Read([&](PostgresReader& reader) { return reader.ListModels(tenant, after, max_rows); });
  }
  absl::StatusOr<std::optional<ArtifactReferenceRow>> FindArtifactReference(
      absl::string_view tenant, absl::string_view sha256) override {
    return Read(
        [&](PostgresReader& reader) { return reader.FindArtifactReference(tenant, sha256); });
  }
  absl::StatusOr<std::vector<LimitRow>> GetLimits() override {
    return Read([](PostgresReader& reader) { return reader.GetLimits(); });
  }
  absl::StatusOr<std::optional<DocumentRow>> GetDocument(const DocumentKey& key) override {
    return Read([&](PostgresReader& reader) { return reader.GetDocument(key); });
  }
  absl::StatusOr<std::vector<DocumentRow>> ListDocuments(const DocumentQuery& query) override {
    return Read([&](PostgresReader& reader) { return reader.ListDocuments(query); });
  }

 private:
  std::unique_ptr<PostgresWriter> writer_;
  ConnectionPool<PostgresReader> readers_;
};

// It is written into statements between quotes.
bool IsSchemaName(absl::string_view name) {
  const auto fits = [](char c) { return absl::ascii_isalnum(c) || c == '_'; };
  return !name.empty() && name.size() <= 63 && std::all_of(name.begin(), name.end(), fits);
}

}  // namespace

absl::StatusOr<std::unique_ptr<JobStore>> OpenPostgresStore(const PostgresStoreOptions& options) {
  if (!IsSchemaName(options.schema)) {
    return absl::InvalidArgumentError(absl::StrCat("the schema name `", options.schema,
                                                   "` must be 1 to 63 letters, digits and `_`"));
  }
  absl::StatusOr<std::unique_ptr<PostgresWriter>> writer = PostgresWriter::Open(options);
  if (!writer.ok()) return Annotate(writer.status(), "opening the PostgreSQL store");
  auto store = std::make_unique<PostgresStore>(*std::move(writer));
  for (int i = 0; i < options.readers; ++i) {
    absl::StatusOr<std::unique_ptr<PostgresReader>> reader = PostgresReader::Open(options);
    if (!reader.ok()) return Annotate(reader.status(), "opening the PostgreSQL store to read");
    store->Add(*std::move(reader));
  }
  return store;
}

}  // namespace switchyard::scheduler
