#include "scheduler/store/memory_lease_store.h"

#include "scheduler/store/forwarding_store.h"
#include "scheduler/store/lease_store_contract.h"
#include "scheduler/store/memory_store.h"

namespace switchyard::scheduler {
namespace {

// One more scheduler's way to the shared rows.
class Shared final : public LeaseStore {
 public:
  explicit Shared(LeaseStore& rows) : rows_(rows) {}
  absl::StatusOr<LeaderLease> Read() override { return rows_.Read(); }
  absl::StatusOr<uint64_t> Take(const LeaderLease& seen, const SchedulerIdentity& self) override {
    return rows_.Take(seen, self);
  }
  absl::Status Renew(uint64_t term) override { return rows_.Renew(term); }
  absl::Status Release(uint64_t term) override { return rows_.Release(term); }
  absl::StatusOr<uint64_t> BumpEpoch(uint64_t term) override { return rows_.BumpEpoch(term); }
  absl::Status Note(const SchedulerIdentity& self) override { return rows_.Note(self); }
  absl::StatusOr<std::vector<StandbyRow>> Noted(absl::Duration age) override {
    return rows_.Noted(age);
  }

 private:
  LeaseStore& rows_;
};

class MemoryHouse final : public LeaseHouse {
 public:
  std::unique_ptr<LeaseStore> OpenLeases() override { return std::make_unique<Shared>(leases_); }
  JobStore& jobs() override { return jobs_; }

 private:
  FakeClock clock_;
  MemoryStore jobs_;
  MemoryLeaseStore leases_{jobs_, clock_};
};

INSTANTIATE_TEST_SUITE_P(Memory, LeaseStoreContract, testing::Values(LeaseHouseMaker{"memory", [] {
                           return std::make_unique<MemoryHouse>();
                         }}));

}  // namespace
}  // namespace switchyard::scheduler
