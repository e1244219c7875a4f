#include "scheduler/core/pool_index.h"

#include <algorithm>

namespace switchyard::scheduler {

uint32_t PoolIndex::ShapeNumber(const ShapeName& name) {
  for (uint32_t i = 0; i < shapes_.size(); ++i) {
    if (shapes_[i].name == name) return i;
  }
  Shape& shape = shapes_.emplace_back();
  shape.name = name;
  shape.heads.fill(kNone);
  shape.tails.fill(kNone);
  return static_cast<uint32_t>(shapes_.size() - 1);
}

uint32_t PoolIndex::AddPool(uint32_t worker, const ShapeName& name, uint32_t limit, uint32_t host) {
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
  ++shape.open;
  bays_.Add(number, host, {.job_class = name.job_class, .gpu = name.gpu, .kinds = name.kinds});
  Refresh(number);
  return number;
}

void PoolIndex::RemovePool(uint32_t number) {
  Pool& pool = pools_[number];
  MoveTo(number, -1);
  if (pool.soon) --shapes_[pool.shape].soon;
  bays_.Remove(number);
  Shape& shape = shapes_[pool.shape];
  shape.pools[pool.place_in_shape] = shape.pools.back();
  pools_[shape.pools.back()].place_in_shape = pool.place_in_shape;
  shape.pools.pop_back();
  if (pool.open) --shape.open;
  if (pool.ahead) --shape.ahead;
  pools_.Remove(number);
}

void PoolIndex::Close(uint32_t number) {
  Pool& pool = pools_[number];
  if (!pool.open) return;
  pool.open = false;
  --shapes_[pool.shape].open;
  Refresh(number);
}

void PoolIndex::Open(uint32_t number) {
  Pool& pool = pools_[number];
  if (pool.open) return;
  pool.open = true;
  ++shapes_[pool.shape].open;
  Refresh(number);
}

void PoolIndex::Enter(uint32_t number, uint32_t index) {
  Pool& pool = pools_[number];
  LiveAttempt& attempt = attempts_[index];
  attempt.pool = number;
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
  Refresh(number);
}

void PoolIndex::Refresh(uint32_t number) {
  Pool& pool = pools_[number];
  const bool ahead = pool.open && pool.outstanding > pool.limit;
  if (ahead != pool.ahead) {
    pool.ahead = ahead;
    shapes_[pool.shape].ahead += ahead ? 1 : -1;
  }
  if (!pool.open) {
    MoveTo(number, -1);
    return CountSoon(number);
  }
  const uint32_t room = AheadRoom({.limit = pool.limit,
                                   .outstanding = pool.outstanding,
                                   .unknown = pool.unknown,
                                   .expected_us = pool.expected_us,
                                   .stalled = pool.stalled},
                                  ahead_jobs_, window_us_);
  MoveTo(number, LoadStep({pool.limit, pool.outstanding, room, ahead_jobs_}));
  CountSoon(number);
}

void PoolIndex::CountFree(uint32_t number, bool was_free) {
  const Pool& pool = pools_[number];
  const bool free = IsFree(pool);
  if (free == was_free) return;
  shapes_[pool.shape].free += free ? 1 : -1;
  bays_.SetFree(number, free);
  ++version_;
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
  ends_.Add(name.job_class, name.gpu, end_us, index);
  ++pool.lengthy;
  ++version_;
  CountSoon(attempt.pool);
}

void PoolIndex::ForgetEnd(uint32_t index) {
  LiveAttempt& attempt = attempts_[index];
  if (attempt.expected_end_us == 0) return;
  Pool& pool = pools_[attempt.pool];
  const ShapeName& name = shapes_[pool.shape].name;
  ends_.Remove(name.job_class, name.gpu, attempt.expected_end_us, index);
  attempt.expected_end_us = 0;
  --pool.lengthy;
  ++version_;
}

void PoolIndex::MoveTo(uint32_t number, int step) {
  Pool& pool = pools_[number];
  if (pool.step == step) return;
  const bool was_free = IsFree(pool);
  Shape& shape = shapes_[pool.shape];
  if (pool.step >= 0) {
    (pool.previous == kNone ? shape.heads[pool.step] : pools_[pool.previous].next) = pool.next;
    (pool.next == kNone ? shape.tails[pool.step] : pools_[pool.next].previous) = pool.previous;
    if (shape.heads[pool.step] == kNone) shape.steps &= ~(1u << pool.step);
  }
  pool.step = static_cast<int8_t>(step);
  CountFree(number, was_free);
  if (step < 0) return;
  pool.previous = shape.tails[step];
  pool.next = kNone;
  (pool.previous == kNone ? shape.heads[step] : pools_[pool.previous].next) = number;
  shape.tails[step] = number;
  shape.steps |= 1u << step;
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
