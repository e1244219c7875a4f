// The reading half of the SQLite store: one read-only connection. Each statement sees one snapshot
// of the file and never waits for the writer (write-ahead log).
//
// Thread-safety: one thread at a time; the store keeps a pool of them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "scheduler/store/job_store.h"
#include "scheduler/store/sqlite_database.h"

namespace switchyard::scheduler {

class SqliteReader {
 public:
  // REQUIRES: a writer has made the file.
  static absl::StatusOr<std::unique_ptr<SqliteReader>> Open(const std::string& path);

  // As in JobStore; every row is checked.
  absl::StatusOr<std::vector<JobRow>> GetJobs(absl::Span<const JobId> ids);
  absl::StatusOr<std::vector<std::string>> GetSpecs(absl::Span<const JobId> ids);
  absl::StatusOr<std::vector<uint32_t>> GetStates(absl::string_view tenant, JobId first,
                                                  uint32_t count);
  absl::StatusOr<JobPage> ListJobs(const JobQuery& query);
  absl::Status LoadLive(const std::function<absl::Status(JobRow&)>& row);
  absl::StatusOr<JobId> LastJobId();
  absl::StatusOr<std::vector<std::optional<RequestRow>>> FindRequests(
      absl::Span<const RequestKey> keys);
  absl::StatusOr<ModelVersionRow> GetModelVersion(absl::string_view tenant, absl::string_view model,
                                                  uint32_t version);
  absl::StatusOr<std::vector<ModelVersionRow>> ListModels(absl::string_view tenant,
                                                          absl::string_view after, int max_rows);
  absl::StatusOr<std::optional<ArtifactReferenceRow>> FindArtifactReference(
      absl::string_view tenant, absl::string_view sha256);
  absl::StatusOr<std::vector<ArtifactReferenceRow>> ListArtifactReferences(absl::string_view tenant,
                                                                           absl::string_view after,
                                                                           int max_rows);
  absl::StatusOr<ArtifactUse> SumArtifactReferences(absl::string_view tenant);
  absl::StatusOr<std::vector<bool>> AreArtifactsReferenced(absl::Span<const std::string> sha256s);
  absl::StatusOr<std::vector<LimitRow>> GetLimits();
  absl::StatusOr<std::optional<DocumentRow>> GetDocument(const DocumentKey& key);
  absl::StatusOr<std::vector<DocumentRow>> ListDocuments(const DocumentQuery& query);

 private:
  explicit SqliteReader(SqliteDatabase database) : database_(std::move(database)) {}
  absl::Status PrepareAll();

  SqliteDatabase database_;
  SqliteStatement get_job_, get_spec_, list_jobs_, list_failed_, load_live_, last_job_;
  SqliteStatement find_request_, get_model_, latest_model_, list_models_, find_artifact_,
      list_artifacts_, sum_artifacts_, any_artifact_, get_limits_;
  SqliteStatement get_states_, get_document_, list_documents_, list_documents_down_;
};

}  // namespace switchyard::scheduler
