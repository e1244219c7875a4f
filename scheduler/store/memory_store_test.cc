#include "scheduler/store/memory_store.h"

#include <vector>

#include "gtest/gtest.h"
#include "scheduler/store/job_store_contract.h"

namespace switchyard::scheduler {
namespace {

// The memory store is its own house: a wrapper passes calls on, so that "closing" it loses nothing.
class Borrowed final : public JobStore {
 public:
  explicit Borrowed(JobStore& store) : store_(store) {}
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
  absl::StatusOr<std::vector<LimitRow>> GetLimits() override { return store_.GetLimits(); }

 private:
  JobStore& store_;
};

class MemoryHouse final : public StoreHouse {
 public:
  std::unique_ptr<JobStore> Open() override { return std::make_unique<Borrowed>(store_); }

 private:
  MemoryStore store_;
};

INSTANTIATE_TEST_SUITE_P(Memory, JobStoreContract,
                         testing::Values(StoreHouseMaker{
                             "memory", [] { return std::make_unique<MemoryHouse>(); }}));

// Does as told, once each, then nothing.
class PlannedFaults final : public StoreFaults {
 public:
  explicit PlannedFaults(std::vector<StoreFault> writes) : writes_(std::move(writes)) {}
  StoreFault OnWrite() override { return next_ < writes_.size() ? writes_[next_++] : StoreFault{}; }
  StoreFault OnRead() override { return {}; }

 private:
  std::vector<StoreFault> writes_;
  size_t next_ = 0;
};

WriteBatch OneJob() {
  WriteBatch batch;
  batch.inserts.emplace_back().id = 42;
  return batch;
}

TEST(MemoryStore, AFailedCommitWritesNothing) {
  PlannedFaults faults({{}, {StoreFault::kFail}});
  MemoryStore store(&faults);
  const uint64_t epoch = *store.BumpEpoch();
  EXPECT_TRUE(absl::IsUnavailable(store.Commit(epoch, OneJob())));
  EXPECT_TRUE(absl::IsNotFound(store.GetJob(42).status()));
  EXPECT_TRUE(store.Commit(epoch, OneJob()).ok());
}

TEST(MemoryStore, ACommitMayHappenAndBeReportedAsFailed) {
  PlannedFaults faults({{}, {StoreFault::kFailAfterCommit}});
  MemoryStore store(&faults);
  const uint64_t epoch = *store.BumpEpoch();
  EXPECT_TRUE(absl::IsUnavailable(store.Commit(epoch, OneJob())));
  EXPECT_TRUE(store.GetJob(42).ok());
}

TEST(MemoryStore, ASlowCallPassesItsDelayOn) {
  absl::Duration waited;
  PlannedFaults faults({{StoreFault::kNone, absl::Seconds(3)}});
  MemoryStore store(&faults, [&](absl::Duration delay) { waited += delay; });
  EXPECT_TRUE(store.BumpEpoch().ok());
  EXPECT_EQ(waited, absl::Seconds(3));
}

TEST(MemoryStore, TheSameSeedGivesTheSameFaults) {
  const SeededFaultsOptions options{
      .seed = 7, .write_fails = 0.2, .write_fails_after_commit = 0.2, .slow = 0.5};
  SeededFaults one(options);
  SeededFaults two(options);
  for (int i = 0; i < 200; ++i) {
    const StoreFault a = one.OnWrite();
    const StoreFault b = two.OnWrite();
    EXPECT_EQ(a.kind, b.kind);
    EXPECT_EQ(a.delay, b.delay);
  }
  EXPECT_GT(one.failed(), 10u);
  EXPECT_GT(one.failed_after_commit(), 10u);
  EXPECT_GT(one.slow(), 50u);
}

}  // namespace
}  // namespace switchyard::scheduler
