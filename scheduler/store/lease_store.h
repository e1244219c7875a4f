// The lead of an installation as rows beside the jobs: one lease, and who stands by.
//
// It exists apart from JobStore because it is asked on a connection and a thread of its own: a
// commit that takes long must not cost the lead. Implementations: the PostgreSQL one (postgres/
// lease_store.h) and MemoryLeaseStore (memory_lease_store.h); both pass lease_store_contract.h.
//
// There are no times in it: clocks of different machines are never compared. A lease is alive as
// long as its `renewal` changes within a time that each looker measures on its own clock.
//
// The lead and the epoch (JobStore) hang together: Take raises the epoch in its own transaction, so
// that from then on every commit of the leader before is refused; and only who holds the lease
// raises it again.
//
// Thread-safety: one thread at a time. Every method blocks on the network. Errors of all: UNAVAILABLE
// when the store cannot be reached; of a write the outcome is then unknown.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace switchyard::scheduler {

// A scheduler as the others see it.
struct SchedulerIdentity {
  std::string id;    // Random, kept in its data folder, which one process holds at a time.
  std::string name;  // For people.
  std::string client_address;
  std::string version;
};

struct LeaderLease {
  uint64_t term = 0;     // Grows with every Take.
  uint64_t renewal = 0;  // Grows with every Take, Renew and Release.
  bool held = false;     // False: nobody had it yet, or it was given back.
  SchedulerIdentity holder;
};

struct StandbyRow {
  SchedulerIdentity scheduler;
  absl::Duration age;  // Since it was last noted, by the store's clock.
};

class LeaseStore {
 public:
  virtual ~LeaseStore() = default;

  virtual absl::StatusOr<LeaderLease> Read() = 0;

  // Takes the lead if nothing changed since `seen` was read; gives the new term. Raises the epoch.
  // Writers of the leader before that have not ended their transaction are cut off. ABORTED: it
  // changed.
  virtual absl::StatusOr<uint64_t> Take(const LeaderLease& seen,
                                        const SchedulerIdentity& self) = 0;

  // FAILED_PRECONDITION: another term has begun, or it was given back.
  virtual absl::Status Renew(uint64_t term) = 0;

  // Gives it back. Of a term that has passed: does nothing.
  virtual absl::Status Release(uint64_t term) = 0;

  // JobStore::BumpEpoch for the holder of `term`. FAILED_PRECONDITION as Renew. Called by the
  // engine's thread, whatever the others do.
  virtual absl::StatusOr<uint64_t> BumpEpoch(uint64_t term) = 0;

  // Notes that `self` stands by; and who was noted within `age`, by name.
  virtual absl::Status Note(const SchedulerIdentity& self) = 0;
  virtual absl::StatusOr<std::vector<StandbyRow>> Noted(absl::Duration age) = 0;
};

}  // namespace switchyard::scheduler
