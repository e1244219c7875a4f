#include "scheduler/store/memory_lease_store.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace switchyard::scheduler {

absl::StatusOr<LeaderLease> MemoryLeaseStore::Read() {
  MutexLock lock(mutex_);
  return lease_;
}

absl::StatusOr<uint64_t> MemoryLeaseStore::Take(const LeaderLease& seen,
                                                const SchedulerIdentity& self) {
  MutexLock lock(mutex_);
  if (lease_.term != seen.term || lease_.renewal != seen.renewal) {
    return absl::AbortedError("another scheduler was faster");
  }
  // Raised first: when this fails, an epoch too many does no harm.
  const absl::StatusOr<uint64_t> epoch = jobs_.BumpEpoch();
  if (!epoch.ok()) return epoch.status();
  lease_ = {.term = seen.term + 1, .renewal = seen.renewal + 1, .held = true, .holder = self};
  noted_.erase(self.id);
  return lease_.term;
}

absl::Status MemoryLeaseStore::CheckTerm(uint64_t term) const {
  if (lease_.term == term && lease_.held) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("term ", term, " is over: another scheduler leads"));
}

absl::Status MemoryLeaseStore::Renew(uint64_t term) {
  MutexLock lock(mutex_);
  if (absl::Status holds = CheckTerm(term); !holds.ok()) return holds;
  ++lease_.renewal;
  return absl::OkStatus();
}

absl::Status MemoryLeaseStore::Release(uint64_t term) {
  MutexLock lock(mutex_);
  if (!CheckTerm(term).ok()) return absl::OkStatus();
  lease_.held = false;
  ++lease_.renewal;
  return absl::OkStatus();
}

absl::StatusOr<uint64_t> MemoryLeaseStore::BumpEpoch(uint64_t term) {
  MutexLock lock(mutex_);
  if (absl::Status holds = CheckTerm(term); !holds.ok()) return holds;
  return jobs_.BumpEpoch();
}

absl::Status MemoryLeaseStore::Note(const SchedulerIdentity& self) {
  MutexLock lock(mutex_);
  noted_[self.id] = {self, clock_.BootTime()};
  return absl::OkStatus();
}

absl::StatusOr<std::vector<StandbyRow>> MemoryLeaseStore::Noted(absl::Duration age) {
  MutexLock lock(mutex_);
  std::vector<StandbyRow> rows;
  for (const auto& [id, noted] : noted_) {
    const absl::Duration since = clock_.BootTime() - noted.second;
    if (since < age) rows.push_back({noted.first, since});
  }
  std::stable_sort(rows.begin(), rows.end(), [](const StandbyRow& one, const StandbyRow& other) {
    return one.scheduler.name < other.scheduler.name;
  });
  return rows;
}

}  // namespace switchyard::scheduler
