// The reading half of the PostgreSQL store: one connection. Each statement sees one snapshot.
//
// Thread-safety: one thread at a time; the store keeps a pool of them. A read that meets a lost
// connection is done again once on a new one.
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
#include "scheduler/store/postgres/connection.h"
#include "scheduler/store/postgres/postgres_store.h"

namespace switchyard::scheduler {

class PostgresReader {
 public:
  // REQUIRES: a writer has made the schema.
  static absl::StatusOr<std::unique_ptr<PostgresReader>> Open(const PostgresStoreOptions& options);

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
  PostgresReader(PostgresStoreOptions options, PostgresConnection connection)
      : options_(std::move(options)), connection_(std::move(connection)) {}
  absl::StatusOr<PostgresResult> Query(const PostgresStatement& statement,
                                       const Parameters& parameters);

  const PostgresStoreOptions options_;
  PostgresConnection connection_;
};

}  // namespace switchyard::scheduler
