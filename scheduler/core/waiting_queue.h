// The jobs that wait for a place, in order. Internal to the core.
//
// A million jobs are a few hundred streams: one FIFO for each (group, tenant, priority), where a
// group is the jobs that fit the same places (GroupKey). In each group and level the
// streams stand in a heap by (tenant's charge, oldest job). So taking the best job, adding one and
// removing any is a few steps, whatever the number of jobs.
//
// Charges only grow, so a heap's entries may carry an old, smaller one: it is refreshed when it
// comes to the top. A stream is at the level of its oldest job (policy/ordering.h); it is looked at
// when that changes and in Age().
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "scheduler/core/row.h"
#include "scheduler/core/slab.h"
#include "scheduler/core/types.h"
#include "scheduler/policy/ordering.h"

namespace switchyard::scheduler {

struct Tenant {
  std::string name;
  uint32_t weight = 1;
  uint64_t charge = 0;
  uint64_t queued = 0;   // Jobs in state QUEUED, for the capacity.
  uint64_t waiting = 0;  // Of these, in the waiting queue.
};

// What decides where a job fits.
struct GroupKey {
  uint8_t kind = 0;           // Index into the core's kinds.
  uint16_t device = 0;        // Interned request.
  uint16_t device_count = 1;  // More: a gang.
  uint8_t memory_step = 0;    // LiveJob::memory_step.

  // One number, equal for equal keys only.
  uint64_t Packed() const {
    return uint64_t{kind} << 40 | uint64_t{memory_step} << 32 | uint64_t{device_count} << 16 |
           device;
  }
};

inline GroupKey GroupKeyOf(const LiveJob& row) {
  return {row.kind, row.device, row.device_count, row.memory_step};
}

// The best of a group.
struct Candidate {
  Place place;
  uint32_t job = kNone;
};

// Not thread-safe. `rows` is the core's and outlives this.
class WaitingQueue {
 public:
  WaitingQueue(Slab<LiveJob>& rows, int64_t ageing_interval_us, bool reversed)
      : rows_(rows), interval_us_(ageing_interval_us), reversed_(reversed) {}

  // Tenants by number, from 0.
  uint32_t TenantNumber(const std::string& name, uint32_t weight);
  Tenant& tenant(uint32_t number) { return tenants_[number]; }
  const Tenant& tenant(uint32_t number) const { return tenants_[number]; }
  void Charge(uint32_t tenant, int64_t device_us);

  // Groups by number, from 0; made when new.
  uint32_t GroupNumber(const GroupKey& key);
  uint32_t FindGroup(const GroupKey& key) const;  // kNone: none yet.
  const GroupKey& Key(uint32_t group) const { return groups_[group].key; }
  uint32_t groups() const { return static_cast<uint32_t>(groups_.size()); }

  // The row's group key, tenant and priority say where. REQUIRES: it does not wait yet / does.
  void Push(uint32_t job, int64_t wall_us);
  void Remove(uint32_t job, int64_t wall_us);

  // The best job of a group; false: none waits.
  bool Best(uint32_t group, Candidate& best);

  // Moves streams whose oldest job has waited for another interval.
  void Age(int64_t wall_us);
  bool empty() const { return waiting_ == 0; }
  uint64_t waiting() const { return waiting_; }
  int64_t OldestCreateTime() const;

 private:
  struct Stream {
    uint32_t tenant;
    uint32_t group;
    uint8_t priority;
    uint8_t level = 0;      // 0: empty.
    uint32_t position = 0;  // In its level's heap.
    uint32_t head = kNone;
    uint32_t tail = kNone;
    // Jobs that came back (returned, lost, raised) and are older than the tail.
    std::set<std::pair<JobId, uint32_t>> early;
  };
  struct Entry {
    uint64_t charge;
    JobId head;
    uint32_t stream;
    bool Before(const Entry& other) const {
      return charge != other.charge ? charge < other.charge : head < other.head;
    }
  };
  using Heap = std::vector<Entry>;
  struct Group {
    GroupKey key;
    uint32_t levels = 0;  // Bit: level has streams.
    Heap heaps[kLeastUrgentPriority + 1];
  };

  uint32_t StreamOf(const LiveJob& row);
  uint32_t Oldest(const Stream& stream) const;
  int Level(const Stream& stream, uint32_t oldest, int64_t wall_us) const;
  void Reposition(uint32_t stream, int64_t wall_us);
  void Leave(Stream& stream);
  void Enter(uint32_t stream, int level, uint32_t oldest);
  void PutEntry(Heap& heap, size_t at, const Entry& entry);
  void Up(Heap& heap, size_t at);
  void Down(Heap& heap, size_t at);
  void Append(Stream& stream, uint32_t job);
  void Unlink(Stream& stream, uint32_t job);

  Slab<LiveJob>& rows_;
  const int64_t interval_us_;
  const bool reversed_;  // PlantedBugs::ignores_priority.
  std::vector<Tenant> tenants_;
  std::vector<Group> groups_;
  std::vector<Stream> streams_;
  // Looked up only, never iterated: their order is random.
  absl::flat_hash_map<std::string, uint32_t> tenant_numbers_;
  absl::flat_hash_map<uint64_t, uint32_t> group_numbers_;
  absl::flat_hash_map<uint64_t, uint32_t> stream_numbers_;
  uint64_t waiting_ = 0;
  uint64_t served_last_ = 0;  // Charge of the tenant served last.
};

}  // namespace switchyard::scheduler
