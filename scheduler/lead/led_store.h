// A JobStore as one scheduler of several uses it: the epoch is raised only by who leads.
//
// Without it a deposed leader whose commit was refused would raise the epoch to build its core
// again, and so depose the one that leads. Thread-safety as JobStore; borrows all it is given.
#pragma once

#include "scheduler/engine/leadership.h"
#include "scheduler/store/forwarding_store.h"
#include "scheduler/store/lease_store.h"

namespace switchyard::scheduler {

class LedStore final : public ForwardingStore {
 public:
  LedStore(JobStore& store, LeaseStore& leases, const Leadership& leadership)
      : ForwardingStore(store), leases_(leases), leadership_(leadership) {}

  absl::StatusOr<uint64_t> BumpEpoch() override {
    const Lead lead = leadership_.Present();
    if (!lead.leads) return NotLeader(leadership_);
    return leases_.BumpEpoch(lead.term);
  }

 private:
  LeaseStore& leases_;
  const Leadership& leadership_;
};

}  // namespace switchyard::scheduler
