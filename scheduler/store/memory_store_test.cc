#include "scheduler/store/memory_store.h"

#include <vector>

#include "gtest/gtest.h"
#include "scheduler/store/forwarding_store.h"
#include "scheduler/store/job_store_contract.h"

namespace switchyard::scheduler {
namespace {

// The memory store is its own house: what is opened only borrows it, so that "closing" it loses
// nothing.
class MemoryHouse final : public StoreHouse {
 public:
  std::unique_ptr<JobStore> Open() override { return std::make_unique<ForwardingStore>(store_); }

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
