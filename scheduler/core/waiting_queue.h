// The jobs that wait for a place, in order. Internal to the core.
//
// A million jobs are a few hundred streams: one FIFO for each (group, account, priority), where a
// group is the jobs that fit the same places (GroupKey). In each group and level stands a heap of
// tenants by (charge, due order), under each tenant a heap of its keys and under each key one of
// its streams, by due order of their oldest jobs (policy/patience.h). So taking the best job,
// adding one and removing any is a few steps, whatever the number of jobs, and a tenant, key or
// array that may run no more for now is taken out at one place for each (group, level) and put back
// when it may again.
//
// Charges only grow, so a tenant's entry may carry an old, smaller one: it is refreshed when it
// comes to the top. A stream is at the level of its oldest job (policy/ordering.h); it is looked at
// when that changes and in Age().
#pragma once

#include <array>
#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "scheduler/core/accounts.h"
#include "scheduler/core/charges.h"
#include "scheduler/core/number_set.h"
#include "scheduler/core/rank_heaps.h"
#include "scheduler/core/row.h"
#include "scheduler/core/slab.h"
#include "scheduler/core/types.h"
#include "scheduler/policy/ordering.h"
#include "scheduler/policy/urgent_share.h"

namespace switchyard::scheduler {

// What decides where a job fits.
struct GroupKey {
  uint8_t kind = 0;           // Index into the core's kinds.
  uint16_t device = 0;        // Interned request.
  uint16_t device_count = 1;  // More: a gang.
  uint8_t memory_step = 0;    // LiveJob::memory_step.
  uint8_t patience = 0;       // LiveJob::patience: what is short is offered beside what is long.

  // One number, equal for equal keys only.
  uint64_t Packed() const {
    return uint64_t{patience} << 48 | uint64_t{kind} << 40 | uint64_t{memory_step} << 32 |
           uint64_t{device_count} << 16 | device;
  }
};

inline GroupKey GroupKeyOf(const LiveJob& row) {
  return {row.kind, row.device, row.device_count, row.memory_step, row.patience};
}

// The best of a group.
struct Candidate {
  Place place;
  uint32_t job = kNone;
};

// Where a job stands among those that wait for the same devices.
struct Standing {
  uint64_t ahead = 0;      // Jobs that come before it.
  uint64_t competing = 0;  // Jobs that wait for the same devices, itself included.
  bool approximate = false;
  int64_t ahead_us = 0;        // Expected run times of those before it, added up.
  uint64_t ahead_unknown = 0;  // Of `ahead`, those whose run time is not known.
};

// What StandingOf asks of a group. `expected_us` 0: unknown.
struct Competitor {
  bool competes = false;
  int64_t expected_us = 0;
};

// Not thread-safe. `rows`, `accounts` and `charges` are the core's and outlive this.
class WaitingQueue {
 public:
  WaitingQueue(Slab<LiveJob>& rows, Accounts& accounts, Charges& charges,
               int64_t ageing_interval_us, uint32_t patience_percent, bool reversed)
      : rows_(rows),
        accounts_(accounts),
        charges_(charges),
        interval_us_(ageing_interval_us),
        patience_percent_(patience_percent),
        reversed_(reversed) {}

  // An attempt of the account on so many devices is handed out; it has ended. Holds its tenant, key
  // and array back, or lets them go on.
  void Occupy(uint32_t account, uint32_t devices);
  void Release(uint32_t account, uint32_t devices);
  // What was set for the tenant or key is another.
  void TenantChanged(uint32_t tenant);
  void KeyChanged(uint32_t key);
  // The account's array may have got another width.
  void ArrayChanged(uint32_t account);
  // The account is about to be forgotten. REQUIRES: none of its jobs waits.
  void Forget(uint32_t account);
  // What holds a waiting job back: its tenant, its key or its array; kNone: nothing of these.
  Reason Hold(const LiveJob& row) const;

  // Groups by number, from 0; made when new.
  uint32_t GroupNumber(const GroupKey& key);
  uint32_t FindGroup(const GroupKey& key) const;  // kNone: none yet.
  const GroupKey& Key(uint32_t group) const { return groups_[group].key; }
  uint32_t groups() const { return static_cast<uint32_t>(groups_.size()); }
  // The next group from `from` on that has a job which nothing holds back; kNone: none has.
  uint32_t NextOffered(uint32_t from) const { return offered_.Next(from); }

  // The row's group key, account and priority say where. REQUIRES: it does not wait yet / does.
  void Push(uint32_t job, int64_t wall_us);
  void Remove(uint32_t job, int64_t wall_us);

  // The best job of a group that nothing holds back; false: none waits. `urgent` false: as if none
  // of priority 1 or 2 waited.
  bool Best(uint32_t group, Candidate& best, bool urgent = true);

  // The level of a waiting job as it is now; Age moves it there at the latest.
  int LevelNow(uint32_t job, int64_t wall_us) const {
    return Level(streams_[rows_[job].stream], job, wall_us);
  }

  // Moves streams whose oldest job has waited for another interval, and keeps room under caps for
  // gangs that have waited for one (gang_caps.cc), where all that is attached could hold them:
  // `possible`, by group.
  void Age(int64_t wall_us, absl::FunctionRef<bool(uint32_t group)> possible);
  bool empty() const { return waiting_ == 0; }
  uint64_t waiting() const { return waiting_; }
  int64_t OldestCreateTime() const;

  // Where a waiting job stands; `look` tells of a group whether its jobs want the same devices.
  // Looks at a bounded number of streams and jobs, and estimates beyond (queue_position.cc).
  // REQUIRES: it waits.
  Standing StandingOf(uint32_t job, absl::FunctionRef<Competitor(uint32_t group)> look) const;
  // The same of a job that would be submitted now.
  Standing StandingOfNew(uint32_t tenant, uint32_t group, uint8_t priority,
                         absl::FunctionRef<Competitor(uint32_t group)> look) const;

 private:
  // Levels, then the same once more for what is beyond its tenant's guarantee.
  static constexpr int kShelf = kLeastUrgentPriority + 1;
  static constexpr int kSlots = 2 * kShelf;
  static constexpr uint32_t kUrgentLevels = (2u << kLeastUrgentOfUrgent) - 1;
  static constexpr uint32_t kUrgentSlots = kUrgentLevels | kUrgentLevels << kShelf;

  struct Stream {
    uint32_t account = 0;
    uint32_t group = 0;
    uint8_t priority = 0;
    uint8_t level = 0;  // 0: empty.
    bool in_use = false;
    uint32_t node = kNone;
    uint32_t branch = kNone;  // Of its key, at `level`.
    uint32_t next_of_account = kNone;
    uint32_t jobs = 0;
    uint32_t head = kNone;
    uint32_t tail = kNone;
    // By InLine: jobs that came back (returned, lost, raised) and are older than the tail, and
    // those that have not waited since they were submitted.
    std::set<std::pair<JobId, uint32_t>> early;
  };
  // A tenant, or one key of it, in a group at a level. Never forgotten: few.
  struct Branch {
    uint32_t group;
    uint8_t level;
    uint32_t of;      // Tenant, or key.
    uint32_t parent;  // A key's: its tenant's branch. A tenant's: kNone.
    uint32_t node;
  };
  struct Group {
    uint32_t slots = 0;  // Bit: the slot has tenants.
    GroupKey key;
    // What Best found last, while nothing has changed below the roots and its tenant was not
    // charged: charges of others only grow, and so would not come before it.
    bool known = false;
    uint32_t tenant = 0;
    Candidate best;
    std::array<uint32_t, kSlots> roots;
  };

  class Counter;  // queue_position.cc

  uint32_t StreamOf(const LiveJob& row);
  uint32_t KeyBranch(const Stream& stream, int level);
  uint32_t TenantBranch(uint32_t tenant, uint32_t group, int level);
  uint32_t Oldest(const Stream& stream) const;
  // Since when it waits: not since it was submitted when it was not to start, or ran, meanwhile.
  int64_t WaitsSince(const LiveJob& row) const;
  // Its place among those of its stream, as the id of a job submitted when its waiting began. A
  // stream is at its oldest job's level, so none is held down by one that begins to wait anew.
  JobId InLine(const LiveJob& row) const;
  int Level(const Stream& stream, uint32_t oldest, int64_t wall_us) const;
  void FindBest(Group& group, uint32_t slots, Candidate& best, uint32_t& tenant);
  void SetSlots(uint32_t group, uint32_t slots);
  void Reposition(uint32_t stream, int64_t wall_us);
  void PlaceStream(uint32_t stream);
  void PlaceKey(uint32_t branch);
  void PlaceTenant(uint32_t branch);
  Offer OfferOf(uint32_t group, int level) const {
    return {.group = group, .level = level, .devices = groups_[group].key.device_count};
  }
  // gang_caps.cc
  struct CapClaim;
  void KeepCaps(int64_t wall_us, absl::FunctionRef<bool(uint32_t group)> possible);
  bool HasBeenPassed(const Stream& stream, int64_t wall_us) const;
  bool WaitsForMore(const Stream& stream) const;
  void KeepTenantCap(uint32_t tenant, const CapKept& kept);
  void KeepKeyCap(uint32_t key, const CapKept& kept);
  // A gang has left this stream: no room is kept for it any more.
  void GiveUpCaps(uint32_t stream);
  void Append(Stream& stream, uint32_t job);
  void Unlink(Stream& stream, uint32_t job);

  Slab<LiveJob>& rows_;
  Accounts& accounts_;
  Charges& charges_;
  const int64_t interval_us_;
  const uint32_t patience_percent_;
  const bool reversed_;  // PlantedBugs::ignores_priority.
  std::vector<Group> groups_;
  uint32_t last_group_ = 0;  // Asked for last: mostly the next one too.
  NumberSet offered_;        // Groups with slots.
  Slab<Stream> streams_;
  NumberSet ageing_;  // Streams with jobs that may come to another level by waiting.
  NumberSet gangs_;   // Streams with jobs of several devices.
  std::vector<Branch> key_branches_;
  std::vector<Branch> tenant_branches_;
  RankHeaps heaps_;
  std::vector<uint32_t> account_streams_;                  // First stream, by account.
  std::vector<std::vector<uint32_t>> branches_of_key_;     // By key.
  std::vector<std::vector<uint32_t>> branches_of_tenant_;  // By tenant.
  bool caps_kept_ = false;                                 // Some are.
  // Looked up only, never iterated: their order is random.
  absl::flat_hash_map<uint64_t, uint32_t> group_numbers_;
  absl::flat_hash_map<uint64_t, uint32_t> stream_numbers_;
  absl::flat_hash_map<uint64_t, uint32_t> key_branch_numbers_;
  absl::flat_hash_map<uint64_t, uint32_t> tenant_branch_numbers_;
  uint64_t waiting_ = 0;
};

}  // namespace switchyard::scheduler
