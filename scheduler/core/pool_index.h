// Places where attempts run: one pool for each (worker, device, class), and an index of those with
// room. Internal to the core.
//
// Pools that are interchangeable for placement (same class, device name and kinds of the worker)
// share a shape; a shape keeps its pools with room in lists by load step and by step of free
// memory, and a group of waiting jobs knows the few shapes that fit it. So the least loaded of
// 10,000 workers, and among those the one whose memory fits best, is found in a few steps.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "scheduler/core/bay_index.h"
#include "scheduler/core/expected_ends.h"
#include "scheduler/core/ledger.h"
#include "scheduler/core/row.h"
#include "scheduler/core/slab.h"
#include "scheduler/core/types.h"
#include "scheduler/policy/assign_ahead.h"
#include "scheduler/policy/memory_need.h"
#include "scheduler/policy/placement.h"

namespace switchyard::scheduler {

// Why a pool takes no more attempts; the first that holds.
enum class ClosedBy : uint8_t { kNothing, kAway, kCordon, kHost };
inline constexpr size_t kClosedBys = 4;

struct Pool {
  uint32_t worker = kNone;
  uint32_t device = 0;  // Interned; 0 (empty) for GENERAL.
  JobClass job_class = JobClass::kUnspecified;
  bool ahead = false;  // More is outstanding than may run.
  bool open = false;   // closed_by is kNothing.
  ClosedBy closed_by = ClosedBy::kNothing;
  bool stalled = false;  // See AheadState.
  uint32_t limit = 0;
  uint32_t outstanding = 0;
  uint32_t running = 0;
  uint32_t unknown = 0;
  int64_t expected_us = 0;
  uint32_t recalls = 0;  // Sent and not answered.
  uint32_t shape = kNone;
  uint32_t place_in_shape = 0;
  uint32_t ledger = kNone;              // Of its device's memory; kNone: of no device (GENERAL).
  int64_t context_bytes = 0;            // What each attempt here takes beside its grant.
  int64_t free_bytes = kMemoryUnknown;  // What a further attempt may be granted.
  int64_t capacity_bytes = kMemoryUnknown;  // Most it could be, with nothing else there.
  int8_t step = -1;                         // List it stands in, and so the next.
  uint8_t memory_step = kMemorySteps - 1;
  bool bay_behind = false;
  bool soon = false;     // Busy with short attempts alone (policy/backfill.h).
  uint64_t walk = 0;     // Walk over expected ends that came by last.
  uint32_t lengthy = 0;  // Attempts with an entry in ExpectedEnds.
  uint32_t previous = kNone;
  uint32_t next = kNone;
  uint32_t held_head = kNone;  // Not-started attempts, oldest dispatch first.
  uint32_t held_tail = kNone;
  uint32_t held_timer = kNone;
  std::array<uint16_t, kLeastUrgentPriority + 1> held_by_level = {};
  std::array<uint32_t, 4> models =
      {};  // Models it was lately given work for; they are likely resident.
};

// Not thread-safe. `attempts` is the core's and outlives this.
class PoolIndex {
 public:
  PoolIndex(Slab<LiveAttempt>& attempts, uint32_t ahead_jobs, int64_t window_us)
      : attempts_(attempts), ahead_jobs_(ahead_jobs), window_us_(window_us) {}

  struct ShapeName {
    JobClass job_class;
    uint32_t device;
    uint64_t kinds;  // Bit: the worker runs the kind.
    bool gpu = false;
    friend bool operator==(const ShapeName&, const ShapeName&) = default;
  };

  // `host`: any number that is alike for the workers of one host.
  uint32_t AddPool(uint32_t worker, const ShapeName& name, uint32_t limit, uint32_t host,
                   uint32_t ledger = kNone, int64_t context_bytes = 0);
  // REQUIRES: no attempt is in it.
  void RemovePool(uint32_t pool);
  // No more attempts for it.
  void Close(uint32_t pool, ClosedBy why);
  // Takes attempts again.
  void Open(uint32_t pool) { Close(pool, ClosedBy::kNothing); }
  Pool& operator[](uint32_t pool) { return pools_[pool]; }
  const Pool& operator[](uint32_t pool) const { return pools_[pool]; }

  // An attempt comes into a pool, starts there, leaves it. Started ones may come in as such (after
  // an Attach).
  void Enter(uint32_t pool, uint32_t attempt);
  void Start(uint32_t attempt);
  void Leave(uint32_t attempt);
  // To be called when limit, open or stalled was changed.
  void Refresh(uint32_t pool);

  // PlantedBugs::grant_forgotten.
  void ForgetGrants() { forgets_grants_ = true; }

  Ledgers& ledgers() { return ledgers_; }
  const Ledgers& ledgers() const { return ledgers_; }
  // To be called when what a ledger promises to serving runners, or its total, was changed.
  void RefreshLedger(uint32_t ledger);
  // Promises `bytes` of the pool's device to an attempt that does not Enter it (a gang's further
  // devices), or takes that back (negative).
  void Promise(uint32_t pool, int64_t bytes);
  // Most that one attempt could ever be granted by an open pool of the shape; kMemoryUnknown: some
  // device does not say.
  int64_t Capacity(uint32_t shape) const;
  // The same of each of its pools: what they have, with how many have it.
  const std::map<int64_t, uint32_t>& Capacities(uint32_t shape) const {
    return shapes_[shape].capacities;
  }
  // Least that any pool could grant with nothing else there.
  int64_t LeastCapacity() const { return least_capacity_; }

  // Shapes by number, from 0; none is ever removed. `pools_in` counts the open pools.
  uint32_t shapes() const { return static_cast<uint32_t>(shapes_.size()); }
  const ShapeName& Name(uint32_t shape) const { return shapes_[shape].name; }
  const std::vector<uint32_t>& PoolsOf(uint32_t shape) const { return shapes_[shape].pools; }
  uint32_t OpenPools(uint32_t shape) const { return PoolsClosedBy(shape, ClosedBy::kNothing); }
  uint32_t PoolsClosedBy(uint32_t shape, ClosedBy why) const {
    return shapes_[shape].by_state[static_cast<size_t>(why)];
  }
  uint32_t HeldAt(uint32_t shape, int level) const { return shapes_[shape].held_by_level[level]; }
  // Pools with attempts beyond their limit.
  uint32_t AheadPools(uint32_t shape) const { return shapes_[shape].ahead; }
  // Lowest load step with a pool, among the steps of `mask`; -1: none.
  int BestStep(uint32_t shape, uint32_t mask) const {
    const uint32_t steps = shapes_[shape].steps & mask;
    return steps == 0 ? -1 : __builtin_ctz(steps);
  }
  // Whether a further attempt could be granted `need_bytes` there. Where nothing is granted,
  // because nothing is known of its need, its runner still takes its context.
  static bool Grants(const Pool& pool, int64_t need_bytes) {
    return pool.free_bytes >= need_bytes || (need_bytes <= 0 && pool.context_bytes == 0);
  }
  // Places where an attempt would start at once; those busy with short ones alone.
  uint32_t FreePools(uint32_t shape) const { return shapes_[shape].free; }
  uint32_t SoonPools(uint32_t shape) const { return shapes_[shape].soon; }
  bool IsFree(const Pool& pool) const { return pool.step >= 0 && pool.step < kFirstAheadStep; }
  // Brought up to now: what became free or busy since is only noted until a gang looks.
  const BayIndex& bays();
  // An attempt in a pool is long and expected to end then (boot clock; kNever: nobody knows).
  void ExpectEnd(uint32_t attempt, int64_t end_us);
  ExpectedEnds& ends() { return ends_; }
  // Counts up whenever places or memory become free or busy, or expected ends change.
  uint64_t version() const { return version_; }
  // A pool of the lowest load step among those of `mask` that can grant `need_bytes`, and in it the
  // one with the least memory that suffices (0: with the most). kNone: none.
  uint32_t Find(uint32_t shape, uint32_t mask, int64_t need_bytes) const;
  // Most free memory of a pool with room by the mask; -1: none has room.
  int64_t MostFree(uint32_t shape, uint32_t mask) const;
  void UsedModel(uint32_t pool, uint32_t model);
  // A pool that lately had this model, could start an attempt at once and grant `need_bytes`, with
  // a shape for which `fits`; kNone: none.
  template <class Fits>
  uint32_t WithModel(uint32_t model, int64_t need_bytes, Fits fits) const {
    if (model == 0 || model >= recent_.size()) return kNone;
    for (const uint32_t pool : recent_[model]) {
      if (pool == kNone) continue;
      const Pool& place = pools_[pool];
      if (place.step < 0 || place.step >= kFirstAheadStep || !fits(place.shape)) continue;
      if (!Grants(place, need_bytes)) continue;
      for (const uint32_t had : place.models) {
        if (had == model) return pool;
      }
    }
    return kNone;
  }

 private:
  static constexpr int kMemoryWords = kMemorySteps / 64;
  struct List {
    uint32_t head = kNone;
    uint32_t tail = kNone;
  };
  struct Shape {
    ShapeName name;
    uint32_t steps = 0;  // Bit: the load step has pools.
    std::array<std::array<uint64_t, kMemoryWords>, kLoadSteps> memory = {};  // Bit: the list has.
    std::vector<List> lists;  // By load step and step of memory.
    std::vector<uint32_t> pools;
    uint32_t free = 0;
    uint32_t soon = 0;
    std::map<int64_t, uint32_t> capacities;          // Of its pools, with how many have it.
    std::array<uint32_t, kClosedBys> by_state = {};  // Pools by ClosedBy.
    uint32_t ahead = 0;
    std::array<uint32_t, kLeastUrgentPriority + 1> held_by_level = {};
  };

  uint32_t ShapeNumber(const ShapeName& name);
  void Unhold(Pool& pool, uint32_t attempt);
  void CountFree(uint32_t pool, bool was_free);
  void CountSoon(uint32_t pool);
  void ForgetEnd(uint32_t attempt);
  void MoveTo(uint32_t pool, int step, int memory_step);
  List& ListOf(Shape& shape, int step, int memory_step) {
    return shape.lists[step * kMemorySteps + memory_step];
  }
  // Lowest step of memory from `from` on with a list; -1: none.
  static int NextMemory(const Shape& shape, int step, int from);
  static int HighestMemory(const Shape& shape, int step);
  void SetCapacity(Pool& pool, int64_t bytes);
  void CountCapacity(const Pool& pool, int by);
  uint32_t FindIn(const Shape& shape, int step, int64_t need_bytes) const;

  Slab<LiveAttempt>& attempts_;
  const uint32_t ahead_jobs_;
  const int64_t window_us_;
  bool forgets_grants_ = false;
  std::map<int64_t, uint32_t> capacities_;  // Of all pools, with how many have it.
  int64_t least_capacity_ = kMemoryUnknown;
  Slab<Pool> pools_;
  Ledgers ledgers_;
  std::vector<Shape> shapes_;
  BayIndex bays_;
  std::vector<uint32_t> behind_;  // Pools whose bay is not up to now.
  ExpectedEnds ends_;
  uint64_t version_ = 0;
  std::vector<std::array<uint32_t, 4>> recent_;  // Pools by model.
};

}  // namespace switchyard::scheduler
