// Gets, keeps and gives back the lead: one step of a loop at a time.
//
// How two never lead at once, without comparing clocks: the leader counts its lease from when it
// SENT the renewal, and gives it up a twentieth early; a standby counts from when it SAW the last
// renewal, which is later, and waits the whole lease. What either does after a freeze it decides by
// its own CLOCK_BOOTTIME, which goes on meanwhile. And should all of this fail, the store refuses
// commits of the leader before by their epoch.
//
// A standby that could not look for a while (the store was away, or itself frozen) begins to count
// anew: when the store comes back, the leader gets the time to renew first.
//
// LeaderKeeper is a stepping object: LeaderThread (leader_thread.h) runs it for real, tests and the
// simulation step it themselves. Step by one thread; all else from any.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "common/clock/clock.h"
#include "common/sync/mutex.h"
#include "scheduler/engine/leadership.h"
#include "scheduler/store/lease_store.h"

namespace switchyard::scheduler {

struct LeaderOptions {
  SchedulerIdentity self;
  absl::Duration lease = absl::Seconds(3);
  bool log = true;
};

class LeaderKeeper final : public Leadership {
 public:
  // Both are borrowed. `changed` is called by Step when this scheduler gained or lost the lead, or
  // another one has it now.
  LeaderKeeper(LeaderOptions options, LeaseStore& store, Clock& clock,
               std::function<void()> changed);

  // Where clients reach this scheduler. REQUIRES: Step was not called yet.
  void set_client_address(const std::string& address) { options_.self.client_address = address; }

  // Looks, renews or takes. Gives the time after which to call it again. Blocks on the store.
  absl::Duration Step();
  // Gives the lead back, so that a standby need not wait. REQUIRES: nothing acts by it any more.
  void GiveBack();
  // It led, and now another one does: whatever is left of its time is of no use any more.
  bool deposed() const;

  Lead Present() const override;
  SchedulersView Schedulers() const override;

 private:
  void Renew(uint64_t term);
  void Follow();
  bool MayTake(const LeaderLease& seen, absl::Duration now);
  void Take(const LeaderLease& seen);
  void Lose(const absl::Status& why);
  void Note();
  void SetLeader(const SchedulerIdentity& leader, uint64_t term);

  LeaderOptions options_;
  LeaseStore& store_;
  Clock& clock_;
  const std::function<void()> changed_;

  // Step's own.
  std::optional<LeaderLease> seen_;
  absl::Duration unchanged_since_;  // BootTime at which seen_ was first read.
  absl::Duration last_look_;        // BootTime at which it was read last.
  absl::Duration next_note_;        // BootTime.

  mutable Mutex mutex_;
  Lead lead_ GUARDED_BY(mutex_);
  SchedulersView schedulers_ GUARDED_BY(mutex_);
  bool deposed_ GUARDED_BY(mutex_) = false;
};

}  // namespace switchyard::scheduler
