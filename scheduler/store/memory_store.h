// A JobStore in memory whose calls fail, are slow, or happen and are reported as failed, as told.
// For tests and the simulation: what it holds outlives the engines that use it, as a disk outlives
// processes.
//
// Deterministic: the same calls with the same faults give the same answers. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "absl/time/time.h"
#include "common/sync/mutex.h"
#include "scheduler/store/job_store.h"

namespace switchyard::scheduler {

// What becomes of one call.
struct StoreFault {
  enum Kind {
    kNone,
    kFail,             // UNAVAILABLE, and nothing happened.
    kFailAfterCommit,  // It happened, and UNAVAILABLE is reported. A read with it just fails.
  };
  Kind kind = kNone;
  absl::Duration delay;  // Spent before anything else.
};

// Decides about each call.
class StoreFaults {
 public:
  virtual ~StoreFaults() = default;
  virtual StoreFault OnWrite() = 0;
  virtual StoreFault OnRead() = 0;
};

// Faults drawn from a seed. Shares are per call, in [0, 1].
struct SeededFaultsOptions {
  uint64_t seed = 1;
  double write_fails = 0;
  double write_fails_after_commit = 0;
  double read_fails = 0;
  double slow = 0;
  absl::Duration longest_delay = absl::Milliseconds(500);
};
class SeededFaults final : public StoreFaults {
 public:
  explicit SeededFaults(SeededFaultsOptions options) : options_(options), state_(options.seed) {}
  StoreFault OnWrite() override;
  StoreFault OnRead() override;
  // From now on nothing fails.
  void Stop() { options_ = SeededFaultsOptions(); }
  // How often each was drawn.
  uint64_t failed() const { return failed_; }
  uint64_t failed_after_commit() const { return failed_after_commit_; }
  uint64_t slow() const { return slow_; }

 private:
  double Draw();  // In [0, 1).
  absl::Duration DrawDelay();

  SeededFaultsOptions options_;
  uint64_t state_;
  uint64_t failed_ = 0;
  uint64_t failed_after_commit_ = 0;
  uint64_t slow_ = 0;
};

class MemoryStore final : public JobStore {
 public:
  // `faults` null: none. `wait` passes a delay (a fake clock advances); null: delays are not waited
  // for. Both are called under the store's lock: they must not call the store.
  explicit MemoryStore(StoreFaults* faults = nullptr,
                       std::function<void(absl::Duration)> wait = nullptr);

  absl::StatusOr<uint64_t> BumpEpoch() override;
  absl::Status Commit(uint64_t epoch, const WriteBatch& batch) override;
  absl::StatusOr<int> RemoveExpiredRequests(int64_t now_ms, int max_scanned) override;
  absl::StatusOr<JobRow> GetJob(JobId id) override;
  absl::StatusOr<std::vector<JobRow>> GetJobs(absl::Span<const JobId> ids) override;
  absl::StatusOr<std::vector<std::string>> GetSpecs(absl::Span<const JobId> ids) override;
  absl::StatusOr<std::vector<uint32_t>> GetStates(absl::string_view tenant, JobId first,
                                                  uint32_t count) override;
  absl::StatusOr<JobPage> ListJobs(const JobQuery& query) override;
  absl::Status LoadLive(const std::function<absl::Status(JobRow&)>& row) override;
  absl::StatusOr<JobId> LastJobId() override;
  absl::StatusOr<std::vector<std::optional<RequestRow>>> FindRequests(
      absl::Span<const RequestKey> keys) override;
  absl::StatusOr<ModelVersionRow> GetModelVersion(absl::string_view tenant, absl::string_view model,
                                                  uint32_t version) override;
  absl::StatusOr<std::vector<ModelVersionRow>> ListModels(absl::string_view tenant,
                                                          absl::string_view after,
                                                          int max_rows) override;
  absl::StatusOr<std::optional<ArtifactReferenceRow>> FindArtifactReference(
      absl::string_view tenant, absl::string_view sha256) override;
  absl::StatusOr<std::vector<ArtifactReferenceRow>> ListArtifactReferences(absl::string_view tenant,
                                                                           absl::string_view after,
                                                                           int max_rows) override;
  absl::StatusOr<ArtifactUse> SumArtifactReferences(absl::string_view tenant) override;
  absl::StatusOr<std::vector<bool>> AreArtifactsReferenced(
      absl::Span<const std::string> sha256s) override;
  absl::StatusOr<std::vector<LimitRow>> GetLimits() override;
  absl::StatusOr<std::optional<DocumentRow>> GetDocument(const DocumentKey& key) override;
  absl::StatusOr<std::vector<DocumentRow>> ListDocuments(const DocumentQuery& query) override;

  // Rows as they are, by id from `first` on, without faults. For checkers.
  std::vector<JobRow> AllJobs(JobId first = 0, uint64_t most = UINT64_MAX) const;
  uint64_t epoch() const;

 private:
  using RequestName = std::tuple<std::string, std::string, std::string>;
  using ModelName = std::tuple<std::string, std::string, uint32_t>;
  struct Tables {
    std::map<JobId, JobRow> jobs;
    std::map<RequestName, RequestRow> requests;
    std::map<ModelName, ModelVersionRow> models;
    std::map<std::pair<std::string, std::string>, ArtifactReferenceRow> artifacts;
    std::vector<LimitRow> limits;
    std::map<DocumentKey, std::string> documents;
    JobId last_deleted = 0;
  };
  StoreFault BeforeWrite() REQUIRES(mutex_);
  absl::Status BeforeRead() REQUIRES(mutex_);
  absl::Status Check(const WriteBatch& batch) const REQUIRES(mutex_);
  void Apply(const WriteBatch& batch) REQUIRES(mutex_);
  bool AnyJobLives(const RequestRow& row) const REQUIRES(mutex_);

  mutable Mutex mutex_;
  StoreFaults* const faults_;
  const std::function<void(absl::Duration)> wait_;
  uint64_t epoch_ GUARDED_BY(mutex_) = 0;
  Tables tables_ GUARDED_BY(mutex_);
  RequestName expiry_cursor_ GUARDED_BY(mutex_);
};

}  // namespace switchyard::scheduler
