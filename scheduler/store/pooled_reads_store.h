// What a store of pooled read connections does alike, whatever database they lead to.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/status/error.h"
#include "scheduler/store/connection_pool.h"
#include "scheduler/store/job_store.h"

namespace switchyard::scheduler {

// Answers every read of a JobStore by a Reader that is free. Writing is the derived store's.
// Thread-safe once all readers are added.
template <class Reader>
class PooledReadsStore : public JobStore {
  // Above its uses, whose types depend on it.
  template <typename Body>
  auto Read(Body body) {
    std::unique_ptr<Reader> reader = readers_.Take();
    auto answer = body(*reader);
    readers_.Add(std::move(reader));
    return answer;
  }

 public:
  void Add(std::unique_ptr<Reader> reader) { readers_.Add(std::move(reader)); }

  absl::StatusOr<JobRow> GetJob(JobId id) override {
    absl::StatusOr<std::vector<JobRow>> rows = GetJobs({id});
    if (!rows.ok()) return rows.status();
    if (rows->empty()) return NotFound("job", FormatJobId(id));
    return std::move(rows->front());
  }
  absl::StatusOr<std::vector<JobRow>> GetJobs(absl::Span<const JobId> ids) override {
    return Read([&](Reader& reader) { return reader.GetJobs(ids); });
  }
  absl::StatusOr<std::vector<std::string>> GetSpecs(absl::Span<const JobId> ids) override {
    return Read([&](Reader& reader) { return reader.GetSpecs(ids); });
  }
  absl::StatusOr<std::vector<uint32_t>> GetStates(absl::string_view tenant, JobId first,
                                                  uint32_t count) override {
    return Read([&](Reader& reader) { return reader.GetStates(tenant, first, count); });
  }
  absl::StatusOr<JobPage> ListJobs(const JobQuery& query) override {
    return Read([&](Reader& reader) { return reader.ListJobs(query); });
  }
  absl::Status LoadLive(const std::function<absl::Status(JobRow&)>& row) override {
    return Read([&](Reader& reader) { return reader.LoadLive(row); });
  }
  absl::StatusOr<JobId> LastJobId() override {
    return Read([](Reader& reader) { return reader.LastJobId(); });
  }
  absl::StatusOr<std::vector<std::optional<RequestRow>>> FindRequests(
      absl::Span<const RequestKey> keys) override {
    return Read([&](Reader& reader) { return reader.FindRequests(keys); });
  }
  absl::StatusOr<ModelVersionRow> GetModelVersion(absl::string_view tenant, absl::string_view model,
                                                  uint32_t version) override {
    return Read([&](Reader& reader) { return reader.GetModelVersion(tenant, model, version); });
  }
  absl::StatusOr<std::vector<ModelVersionRow>> ListModels(absl::string_view tenant,
                                                          absl::string_view after,
                                                          int max_rows) override {
    return Read([&](Reader& reader) { return reader.ListModels(tenant, after, max_rows); });
  }
  absl::StatusOr<std::optional<ArtifactReferenceRow>> FindArtifactReference(
      absl::string_view tenant, absl::string_view sha256) override {
    return Read([&](Reader& reader) { return reader.FindArtifactReference(tenant, sha256); });
  }
  absl::StatusOr<std::vector<ArtifactReferenceRow>> ListArtifactReferences(absl::string_view tenant,
                                                                           absl::string_view after,
                                                                           int max_rows) override {
    return Read(
        [&](Reader& reader) { return reader.ListArtifactReferences(tenant, after, max_rows); });
  }
  absl::StatusOr<ArtifactUse> SumArtifactReferences(absl::string_view tenant) override {
    return Read([&](Reader& reader) { return reader.SumArtifactReferences(tenant); });
  }
  absl::StatusOr<std::vector<bool>> AreArtifactsReferenced(
      absl::Span<const std::string> sha256s) override {
    return Read([&](Reader& reader) { return reader.AreArtifactsReferenced(sha256s); });
  }
  absl::StatusOr<std::vector<LimitRow>> GetLimits() override {
    return Read([](Reader& reader) { return reader.GetLimits(); });
  }
  absl::StatusOr<std::optional<DocumentRow>> GetDocument(const DocumentKey& key) override {
    return Read([&](Reader& reader) { return reader.GetDocument(key); });
  }
  absl::StatusOr<std::vector<DocumentRow>> ListDocuments(const DocumentQuery& query) override {
    return Read([&](Reader& reader) { return reader.ListDocuments(query); });
  }

 private:
  ConnectionPool<Reader> readers_;
};

}  // namespace switchyard::scheduler
