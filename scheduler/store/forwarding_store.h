// A JobStore that passes every call on to another: the base of decorators, which override what they
// add to. With nothing overridden it lends a store to one who wants to own it.
//
// Thread-safety and errors are those of the store behind it, which outlives this.
#pragma once

#include "scheduler/store/job_store.h"

namespace switchyard::scheduler {

class ForwardingStore : public JobStore {
 public:
  explicit ForwardingStore(JobStore& store) : store_(store) {}

  absl::StatusOr<uint64_t> BumpEpoch() override { return store_.BumpEpoch(); }
  absl::Status Commit(uint64_t epoch, const WriteBatch& batch) override {
    return store_.Commit(epoch, batch);
  }
  absl::StatusOr<int> RemoveExpiredRequests(int64_t now_ms, int max_scanned) override {
    return store_.RemoveExpiredRequests(now_ms, max_scanned);
  }
  absl::StatusOr<JobRow> GetJob(JobId id) override { return store_.GetJob(id); }
  absl::StatusOr<std::vector<JobRow>> GetJobs(absl::Span<const JobId> ids) override {
    return store_.GetJobs(ids);
  }
  absl::StatusOr<std::vector<std::string>> GetSpecs(absl::Span<const JobId> ids) override {
    return store_.GetSpecs(ids);
  }
  absl::StatusOr<std::vector<uint32_t>> GetStates(absl::string_view tenant, JobId first,
                                                  uint32_t count) override {
    return store_.GetStates(tenant, first, count);
  }
  absl::StatusOr<JobPage> ListJobs(const JobQuery& query) override {
    return store_.ListJobs(query);
  }
  absl::Status LoadLive(const std::function<absl::Status(JobRow&)>& row) override {
    return store_.LoadLive(row);
  }
  absl::StatusOr<JobId> LastJobId() override { return store_.LastJobId(); }
  absl::StatusOr<std::vector<std::optional<RequestRow>>> FindRequests(
      absl::Span<const RequestKey> keys) override {
    return store_.FindRequests(keys);
  }
  absl::StatusOr<ModelVersionRow> GetModelVersion(absl::string_view tenant, absl::string_view model,
                                                  uint32_t version) override {
    return store_.GetModelVersion(tenant, model, version);
  }
  absl::StatusOr<std::vector<ModelVersionRow>> ListModels(absl::string_view tenant,
                                                          absl::string_view after,
                                                          int max_rows) override {
    return store_.ListModels(tenant, after, max_rows);
  }
  absl::StatusOr<std::optional<ArtifactReferenceRow>> FindArtifactReference(
      absl::string_view tenant, absl::string_view sha256) override {
    return store_.FindArtifactReference(tenant, sha256);
  }
  absl::StatusOr<std::vector<ArtifactReferenceRow>> ListArtifactReferences(absl::string_view tenant,
                                                                           absl::string_view after,
                                                                           int max_rows) override {
    return store_.ListArtifactReferences(tenant, after, max_rows);
  }
  absl::StatusOr<ArtifactUse> SumArtifactReferences(absl::string_view tenant) override {
    return store_.SumArtifactReferences(tenant);
  }
  absl::StatusOr<std::vector<bool>> AreArtifactsReferenced(
      absl::Span<const std::string> sha256s) override {
    return store_.AreArtifactsReferenced(sha256s);
  }
  absl::StatusOr<std::vector<LimitRow>> GetLimits() override { return store_.GetLimits(); }
  absl::StatusOr<std::optional<DocumentRow>> GetDocument(const DocumentKey& key) override {
    return store_.GetDocument(key);
  }
  absl::StatusOr<std::vector<DocumentRow>> ListDocuments(const DocumentQuery& query) override {
    return store_.ListDocuments(query);
  }

 protected:
  JobStore& store_;
};

}  // namespace switchyard::scheduler
