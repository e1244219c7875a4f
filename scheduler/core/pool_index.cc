#include "scheduler/core/pool_index.h"

#include <algorithm>

namespace switchyard::scheduler {
namespace {

// Pools of the need's own step of memory that are looked at; more may have room and are found when
// those before them have changed.
constexpr int kLooksInOwnStep = 16;

}  // namespace

uint32_t PoolIndex::ShapeNumber(const ShapeName& name) {
  for (uint32_t i = 0; i < shapes_.size(); ++i) {
    if (shapes_[i].name == name) return i;
  }
  Shape& shape = shapes_.emplace_back();
  shape.name = name;
  shape.lists.resize(kLoadSteps * kMemorySteps);
  return static_cast<uint32_t>(shapes_.size() - 1);
}

uint32_t PoolIndex::AddPool(uint32_t worker, const ShapeName& name, uint32_t limit, uint32_t host,
                            uint32_t ledger, int64_t context_bytes) {
  const uint32_t number = pools_.Add();
  Pool& pool = pools_[number];
  pool.worker = worker;
  pool.device = name.device;
  pool.job_class = name.job_class;
  pool.limit = limit;
  pool.open = true;
  pool.shape = ShapeNumber(name);
  Shape& shape = shapes_[pool.shape];
  pool.place_in_shape = static_cast<uint32_t>(shape.pools.size());
  shape.pools.push_back(number);
  pool.ledger = ledger;
  pool.context_bytes = context_bytes;
  if (ledger != kNone) ledgers_[ledger].pools.push_back(number);
  CountCapacity(pool, 1);
  ++shape.by_state[0];
  bays_.Add(number, host, {.job_class = name.job_class, .gpu = name.gpu, .kinds = name.kinds});
  Refresh(number);
  return number;
}

void PoolIndex::RemovePool(uint32_t number) {
  Pool& pool = pools_[number];
  MoveTo(number, -1, 0);
  if (pool.soon) --shapes_[pool.shape].soon;
  if (pool.bay_behind) bays();
  bays_.Remove(number);
  Shape& shape = shapes_[pool.shape];
  CountCapacity(pool, -1);
  if (pool.ledger != kNone) {
    std::vector<uint32_t>& sharing = ledgers_[pool.ledger].pools;
    sharing.erase(std::find(sharing.begin(), sharing.end(), number));
  }
  shape.pools[pool.place_in_shape] = shape.pools.back();
  pools_[shape.pools.back()].place_in_shape = pool.place_in_shape;
  shape.pools.pop_back();
  --shape.by_state[static_cast<size_t>(pool.closed_by)];
  if (pool.ahead) --shape.ahead;
  pools_.Remove(number);
}

void PoolIndex::Close(uint32_t number, ClosedBy why) {
  Pool& pool = pools_[number];
  if (pool.closed_by == why) return;
  auto& by_state = shapes_[pool.shape].by_state;
  --by_state[static_cast<size_t>(pool.closed_by)];
  ++by_state[static_cast<size_t>(why)];
  pool.closed_by = why;
  pool.open = why == ClosedBy::kNothing;
  Refresh(number);
}

int64_t PoolIndex::Capacity(uint32_t shape) const {
  const auto& capacities = shapes_[shape].capacities;
  return capacities.empty() ? 0 : capacities.rbegin()->first;
}

void PoolIndex::Promise(uint32_t number, int64_t bytes) {
  const uint32_t ledger = pools_[number].ledger;
  if (ledger == kNone || bytes == 0 || forgets_grants_) return;
  ledgers_[ledger].granted_bytes += bytes;
  RefreshLedger(ledger);
}

void PoolIndex::RefreshLedger(uint32_t ledger) {
  for (const uint32_t pool : ledgers_[ledger].pools) Refresh(pool);
}

void PoolIndex::SetCapacity(Pool& pool, int64_t bytes) {
  if (bytes == pool.capacity_bytes) return;
  CountCapacity(pool, -1);
  pool.capacity_bytes = bytes;
  CountCapacity(pool, 1);
}

void PoolIndex::CountCapacity(const Pool& pool, int by) {
  for (auto* capacities : {&capacities_, &shapes_[pool.shape].capacities}) {
    if (((*capacities)[pool.capacity_bytes] += by) == 0) capacities->erase(pool.capacity_bytes);
  }
  least_capacity_ = capacities_.empty() ? kMemoryUnknown : capacities_.begin()->first;
}

void PoolIndex::Enter(uint32_t number, uint32_t index) {
  Pool& pool = pools_[number];
  LiveAttempt& attempt = attempts_[index];
  attempt.pool = number;
  Promise(number, attempt.granted_bytes + pool.context_bytes);
  ++pool.outstanding;
  if (attempt.expected_us == 0) ++pool.unknown;
  if (attempt.started) {
    ++pool.running;
  } else {
    attempt.held = true;
    attempt.previous_held = pool.held_tail;
    attempt.next_held = kNone;
    (pool.held_tail == kNone ? pool.held_head : attempts_[pool.held_tail].next_held) = index;
    pool.held_tail = index;
    pool.expected_us += attempt.expected_us;
    ++pool.held_by_level[attempt.level];
    ++shapes_[pool.shape].held_by_level[attempt.level];
  }
  Refresh(number);
}

void PoolIndex::Unhold(Pool& pool, uint32_t index) {
  LiveAttempt& attempt = attempts_[index];
  if (!attempt.held) return;
  attempt.held = false;
  (attempt.previous_held == kNone ? pool.held_head : attempts_[attempt.previous_held].next_held) =
      attempt.next_held;
  (attempt.next_held == kNone ? pool.held_tail : attempts_[attempt.next_held].previous_held) =
      attempt.previous_held;
  attempt.previous_held = attempt.next_held = kNone;
  pool.expected_us -= attempt.expected_us;
  --pool.held_by_level[attempt.level];
  --shapes_[pool.shape].held_by_level[attempt.level];
  if (attempt.recalled) --pool.recalls;
}

void PoolIndex::Start(uint32_t index) {
  LiveAttempt& attempt = attempts_[index];
  attempt.started = true;
  if (attempt.pool == kNone) return;
  Pool& pool = pools_[attempt.pool];
  Unhold(pool, index);
  ++pool.running;
  Refresh(attempt.pool);
}

void PoolIndex::Leave(uint32_t index) {
  LiveAttempt& attempt = attempts_[index];
  if (attempt.pool == kNone) return;
  const uint32_t number = attempt.pool;
  Pool& pool = pools_[number];
  ForgetEnd(index);
  Unhold(pool, index);
  attempt.pool = kNone;
  --pool.outstanding;
  if (attempt.expected_us == 0) --pool.unknown;
  if (attempt.started) {
    --pool.running;
    pool.stalled = false;
  }
  Promise(number, -(attempt.granted_bytes + pool.context_bytes));
  Refresh(number);
}

void PoolIndex::Refresh(uint32_t number) {
  Pool& pool = pools_[number];
  const bool ahead = pool.open && pool.outstanding > pool.limit;
  if (ahead != pool.ahead) {
    pool.ahead = ahead;
    shapes_[pool.shape].ahead += ahead ? 1 : -1;
  }
  if (pool.ledger != kNone) {
    const Ledger& ledger = ledgers_[pool.ledger];
    const bool known = ledger.known() || ledger.held_back;
    const int64_t free_bytes = known ? ledger.Free() - pool.context_bytes : kMemoryUnknown;
    if (free_bytes != pool.free_bytes) ++version_;
    pool.free_bytes = free_bytes;
    SetCapacity(pool, ledger.known()
                          ? std::max<int64_t>(
                                0, ledger.total_bytes - ledger.fixed_bytes - pool.context_bytes)
                          : kMemoryUnknown);
  }
  if (!pool.open) {
    MoveTo(number, -1, 0);
    return CountSoon(number);
  }
  const uint32_t room = AheadRoom({.limit = pool.limit,
                                   .outstanding = pool.outstanding,
                                   .unknown = pool.unknown,
                                   .expected_us = pool.expected_us,
                                   .stalled = pool.stalled},
                                  ahead_jobs_, window_us_);
  MoveTo(number, LoadStep({pool.limit, pool.outstanding, room, ahead_jobs_}),
         MemoryStep(pool.free_bytes));
  CountSoon(number);
}

void PoolIndex::CountFree(uint32_t number, bool was_free) {
  Pool& pool = pools_[number];
  const bool free = IsFree(pool);
  if (free == was_free) return;
  shapes_[pool.shape].free += free ? 1 : -1;
  if (!pool.bay_behind) behind_.push_back(number);
  pool.bay_behind = true;
  ++version_;
}

const BayIndex& PoolIndex::bays() {
  for (const uint32_t number : behind_) {
    Pool& pool = pools_[number];
    pool.bay_behind = false;
    bays_.SetFree(number, IsFree(pool));
  }
  behind_.clear();
  return bays_;
}

void PoolIndex::CountSoon(uint32_t number) {
  Pool& pool = pools_[number];
  const bool soon = pool.open && pool.lengthy == 0 && pool.outstanding > 0 && !IsFree(pool);
  if (soon == pool.soon) return;
  pool.soon = soon;
  shapes_[pool.shape].soon += soon ? 1 : -1;
  ++version_;
}

void PoolIndex::ExpectEnd(uint32_t index, int64_t end_us) {
  LiveAttempt& attempt = attempts_[index];
  if (attempt.pool == kNone) return;
  ForgetEnd(index);
  Pool& pool = pools_[attempt.pool];
  const ShapeName& name = shapes_[pool.shape].name;
  attempt.expected_end_us = end_us;
  // Nobody waits for an end that nobody knows.
  if (end_us != kNever) ends_.Add(name.job_class, name.gpu, end_us, index);
  ++pool.lengthy;
  ++version_;
  CountSoon(attempt.pool);
}

void PoolIndex::ForgetEnd(uint32_t index) {
  LiveAttempt& attempt = attempts_[index];
  if (attempt.expected_end_us == 0) return;
  Pool& pool = pools_[attempt.pool];
  const ShapeName& name = shapes_[pool.shape].name;
  if (attempt.expected_end_us != kNever)
    ends_.Remove(name.job_class, name.gpu, attempt.expected_end_us, index);
  attempt.expected_end_us = 0;
  --pool.lengthy;
  ++version_;
}

void PoolIndex::MoveTo(uint32_t number, int step, int memory_step) {
  Pool& pool = pools_[number];
  if (pool.step == step && (step < 0 || pool.memory_step == memory_step)) return;
  const bool was_free = IsFree(pool);
  Shape& shape = shapes_[pool.shape];
  if (pool.step >= 0) {
    List& from = ListOf(shape, pool.step, pool.memory_step);
    (pool.previous == kNone ? from.head : pools_[pool.previous].next) = pool.next;
    (pool.next == kNone ? from.tail : pools_[pool.next].previous) = pool.previous;
    auto& memory = shape.memory[pool.step];
    if (from.head == kNone) memory[pool.memory_step / 64] &= ~(1ull << pool.memory_step % 64);
    if (HighestMemory(shape, pool.step) < 0) shape.steps &= ~(1u << pool.step);
  }
  pool.step = static_cast<int8_t>(step);
  CountFree(number, was_free);
  if (step < 0) return;
  pool.memory_step = static_cast<uint8_t>(memory_step);
  List& to = ListOf(shape, step, memory_step);
  pool.previous = to.tail;
  pool.next = kNone;
  (pool.previous == kNone ? to.head : pools_[pool.previous].next) = number;
  to.tail = number;
  shape.memory[step][memory_step / 64] |= 1ull << memory_step % 64;
  shape.steps |= 1u << step;
}

int PoolIndex::NextMemory(const Shape& shape, int step, int from) {
  for (int word = from / 64; word < kMemoryWords; ++word) {
    uint64_t bits = shape.memory[step][word];
    if (word == from / 64) bits &= ~0ull << from % 64;
    if (bits != 0) return word * 64 + __builtin_ctzll(bits);
  }
  return -1;
}

int PoolIndex::HighestMemory(const Shape& shape, int step) {
  for (int word = kMemoryWords - 1; word >= 0; --word) {
    const uint64_t bits = shape.memory[step][word];
    if (bits != 0) return word * 64 + 63 - __builtin_clzll(bits);
  }
  return -1;
}

uint32_t PoolIndex::FindIn(const Shape& shape, int step, int64_t need_bytes) const {
  const auto head = [&](int memory_step) {
    return memory_step < 0 ? kNone : shape.lists[step * kMemorySteps + memory_step].head;
  };
  const int highest = need_bytes <= 0 ? HighestMemory(shape, step) : 0;
  if (highest != 0) return head(highest);
  const int least = need_bytes <= 0 ? 0 : MemoryStep(need_bytes);
  // Within the need's own step the bytes decide; a few are looked at.
  uint32_t pool = shape.lists[step * kMemorySteps + least].head;
  for (int looks = 0; pool != kNone && looks < kLooksInOwnStep; ++looks) {
    if (Grants(pools_[pool], need_bytes)) return pool;
    pool = pools_[pool].next;
  }
  if (need_bytes <= 0) return kNone;
  return least + 1 < kMemorySteps ? head(NextMemory(shape, step, least + 1)) : kNone;
}

uint32_t PoolIndex::Find(uint32_t number, uint32_t mask, int64_t need_bytes) const {
  const Shape& shape = shapes_[number];
  for (uint32_t steps = shape.steps & mask; steps != 0; steps &= steps - 1) {
    const uint32_t pool = FindIn(shape, __builtin_ctz(steps), need_bytes);
    if (pool != kNone) return pool;
  }
  return kNone;
}

int64_t PoolIndex::MostFree(uint32_t number, uint32_t mask) const {
  const Shape& shape = shapes_[number];
  int64_t most = -1;
  for (uint32_t steps = shape.steps & mask; steps != 0; steps &= steps - 1) {
    const uint32_t pool = FindIn(shape, __builtin_ctz(steps), 0);
    most = std::max<int64_t>({0, most, pool == kNone ? 0 : pools_[pool].free_bytes});
  }
  return most;
}

void PoolIndex::UsedModel(uint32_t number, uint32_t model) {
  if (model == 0) return;
  Pool& pool = pools_[number];
  if (std::find(pool.models.begin(), pool.models.end(), model) != pool.models.end()) return;
  std::rotate(pool.models.rbegin(), pool.models.rbegin() + 1, pool.models.rend());
  pool.models[0] = model;
  if (model >= recent_.size()) recent_.resize(model + 1, {kNone, kNone, kNone, kNone});
  auto& recent = recent_[model];
  std::rotate(recent.rbegin(), recent.rbegin() + 1, recent.rend());
  recent[0] = number;
}

}  // namespace switchyard::scheduler
