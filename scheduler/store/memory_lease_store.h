// A LeaseStore in memory beside a MemoryStore, whose epoch it raises. For tests and the simulation:
// several schedulers share one. Thread-safe.
#pragma once

#include <map>
#include <string>

#include "absl/time/time.h"
#include "common/clock/clock.h"
#include "common/sync/mutex.h"
#include "scheduler/store/job_store.h"
#include "scheduler/store/lease_store.h"

namespace switchyard::scheduler {

class MemoryLeaseStore final : public LeaseStore {
 public:
  // Both are borrowed. `clock` is the store's.
  MemoryLeaseStore(JobStore& jobs, Clock& clock) : jobs_(jobs), clock_(clock) {}

  absl::StatusOr<LeaderLease> Read() override;
  absl::StatusOr<uint64_t> Take(const LeaderLease& seen, const SchedulerIdentity& self) override;
  absl::Status Renew(uint64_t term) override;
  absl::Status Release(uint64_t term) override;
  absl::StatusOr<uint64_t> BumpEpoch(uint64_t term) override;
  absl::Status Note(const SchedulerIdentity& self) override;
  absl::StatusOr<std::vector<StandbyRow>> Noted(absl::Duration age) override;

 private:
  absl::Status CheckTerm(uint64_t term) const REQUIRES(mutex_);

  JobStore& jobs_;
  Clock& clock_;
  mutable Mutex mutex_;
  LeaderLease lease_ GUARDED_BY(mutex_);
  std::map<std::string, std::pair<SchedulerIdentity, absl::Duration>> noted_ GUARDED_BY(mutex_);
};

}  // namespace switchyard::scheduler
