#include "scheduler/core/waiting_queue.h"

#include <algorithm>

#include "scheduler/policy/fair_share.h"

namespace switchyard::scheduler {

uint32_t WaitingQueue::TenantNumber(const std::string& name, uint32_t weight) {
  const auto [found, made] =
      tenant_numbers_.try_emplace(name, static_cast<uint32_t>(tenants_.size()));
  if (made) tenants_.push_back({.name = name, .weight = weight});
  return found->second;
}

void WaitingQueue::Charge(uint32_t tenant, int64_t device_us) {
  Tenant& charged = tenants_[tenant];
  served_last_ = std::max(served_last_, charged.charge);
  charged.charge += ChargeFor(device_us, charged.weight);
}

uint32_t WaitingQueue::GroupNumber(const GroupKey& key) {
  const auto [found, made] =
      group_numbers_.try_emplace(key.Packed(), static_cast<uint32_t>(groups_.size()));
  if (made) {
    groups_.emplace_back();
    groups_.back().key = key;
  }
  return found->second;
}

uint32_t WaitingQueue::FindGroup(const GroupKey& key) const {
  const auto found = group_numbers_.find(key.Packed());
  return found == group_numbers_.end() ? kNone : found->second;
}

uint32_t WaitingQueue::StreamOf(const LiveJob& row) {
  const uint32_t group = GroupNumber(GroupKeyOf(row));
  const uint64_t key = (uint64_t{group} << 36) | (uint64_t{row.tenant} << 4) | row.priority;
  const auto [found, made] =
      stream_numbers_.try_emplace(key, static_cast<uint32_t>(streams_.size()));
  if (made) streams_.push_back({.tenant = row.tenant, .group = group, .priority = row.priority});
  return found->second;
}

void WaitingQueue::Push(uint32_t job, int64_t wall_us) {
  LiveJob& row = rows_[job];
  row.stream = StreamOf(row);
  Stream& stream = streams_[row.stream];
  Tenant& tenant = tenants_[stream.tenant];
  if (tenant.waiting++ == 0) tenant.charge = ChargeOnReturn(tenant.charge, served_last_);
  ++waiting_;
  const bool newest = stream.tail == kNone || rows_[stream.tail].id < row.id;
  const bool was_empty = stream.level == 0;
  if (newest && stream.early.empty()) {
    Append(stream, job);
    if (was_empty) Reposition(row.stream, wall_us);
    return;
  }
  const uint32_t oldest = Oldest(stream);
  if (newest) {
    Append(stream, job);
  } else {
    row.waits = Waits::kEarly;
    stream.early.emplace(row.id, job);
  }
  if (Oldest(stream) != oldest) Reposition(row.stream, wall_us);
}

void WaitingQueue::Remove(uint32_t job, int64_t wall_us) {
  LiveJob& row = rows_[job];
  const uint32_t number = row.stream;
  Stream& stream = streams_[number];
  const bool was_oldest = Oldest(stream) == job;
  if (row.waits == Waits::kEarly) {
    stream.early.erase({row.id, job});
  } else {
    Unlink(stream, job);
  }
  row.waits = Waits::kNot;
  row.stream = kNone;
  --tenants_[stream.tenant].waiting;
  --waiting_;
  if (was_oldest) Reposition(number, wall_us);
}

void WaitingQueue::Append(Stream& stream, uint32_t job) {
  LiveJob& row = rows_[job];
  row.waits = Waits::kInOrder;
  row.previous = stream.tail;
  row.next = kNone;
  (stream.tail == kNone ? stream.head : rows_[stream.tail].next) = job;
  stream.tail = job;
}

void WaitingQueue::Unlink(Stream& stream, uint32_t job) {
  LiveJob& row = rows_[job];
  (row.previous == kNone ? stream.head : rows_[row.previous].next) = row.next;
  (row.next == kNone ? stream.tail : rows_[row.next].previous) = row.previous;
  row.previous = row.next = kNone;
}

uint32_t WaitingQueue::Oldest(const Stream& stream) const {
  if (stream.early.empty()) return stream.head;
  const auto& [id, job] = *stream.early.begin();
  return stream.head == kNone || id < rows_[stream.head].id ? job : stream.head;
}

int WaitingQueue::Level(const Stream& stream, uint32_t oldest, int64_t wall_us) const {
  const LiveJob& row = rows_[oldest];
  int64_t since_us = row.create_us;
  if (row.cold != nullptr) since_us = std::max(since_us, row.cold->not_before_us);
  const int level = EffectivePriority(stream.priority, wall_us - since_us, interval_us_);
  return reversed_ ? kLeastUrgentPriority + kMostUrgentPriority - level : level;
}

void WaitingQueue::Reposition(uint32_t number, int64_t wall_us) {
  Stream& stream = streams_[number];
  const uint32_t oldest = Oldest(stream);
  const int level = oldest == kNone ? 0 : Level(stream, oldest, wall_us);
  if (level != stream.level) {
    if (stream.level != 0) Leave(stream);
    if (level != 0) Enter(number, level, oldest);
    return;
  }
  if (level == 0) return;
  Heap& heap = groups_[stream.group].heaps[level];
  heap[stream.position] = {tenants_[stream.tenant].charge, rows_[oldest].id, number};
  Up(heap, stream.position);
  Down(heap, stream.position);
}

void WaitingQueue::Leave(Stream& stream) {
  Group& group = groups_[stream.group];
  Heap& heap = group.heaps[stream.level];
  const size_t at = stream.position;
  const Entry last = heap.back();
  heap.pop_back();
  if (heap.empty()) group.levels &= ~(1u << stream.level);
  stream.level = 0;
  if (at == heap.size()) return;
  PutEntry(heap, at, last);
  Up(heap, at);
  Down(heap, streams_[last.stream].position);
}

void WaitingQueue::Enter(uint32_t number, int level, uint32_t oldest) {
  Stream& stream = streams_[number];
  Group& group = groups_[stream.group];
  Heap& heap = group.heaps[level];
  stream.level = static_cast<uint8_t>(level);
  stream.position = static_cast<uint32_t>(heap.size());
  heap.push_back({tenants_[stream.tenant].charge, rows_[oldest].id, number});
  group.levels |= 1u << level;
  Up(heap, stream.position);
}

void WaitingQueue::PutEntry(Heap& heap, size_t at, const Entry& entry) {
  heap[at] = entry;
  streams_[entry.stream].position = static_cast<uint32_t>(at);
}

void WaitingQueue::Up(Heap& heap, size_t at) {
  const Entry entry = heap[at];
  for (; at > 0 && entry.Before(heap[(at - 1) / 2]); at = (at - 1) / 2) {
    PutEntry(heap, at, heap[(at - 1) / 2]);
  }
  PutEntry(heap, at, entry);
}

void WaitingQueue::Down(Heap& heap, size_t at) {
  const Entry entry = heap[at];
  for (size_t child; (child = 2 * at + 1) < heap.size(); at = child) {
    if (child + 1 < heap.size() && heap[child + 1].Before(heap[child])) ++child;
    if (!heap[child].Before(entry)) break;
    PutEntry(heap, at, heap[child]);
  }
  PutEntry(heap, at, entry);
}

bool WaitingQueue::Best(uint32_t number, Candidate& best) {
  Group& group = groups_[number];
  if (group.levels == 0) return false;
  const int level = __builtin_ctz(group.levels);
  Heap& heap = group.heaps[level];
  for (;;) {
    const Stream& stream = streams_[heap.front().stream];
    const uint64_t charge = tenants_[stream.tenant].charge;
    if (heap.front().charge == charge) break;
    heap.front().charge = charge;
    Down(heap, 0);
  }
  const Entry& top = heap.front();
  best.place = {level, top.charge, top.head};
  best.job = Oldest(streams_[top.stream]);
  return true;
}

void WaitingQueue::Age(int64_t wall_us) {
  for (uint32_t i = 0; i < streams_.size(); ++i) {
    const Stream& stream = streams_[i];
    if (stream.level != 0 && stream.priority > kBestAgedPriority) Reposition(i, wall_us);
  }
}

int64_t WaitingQueue::OldestCreateTime() const {
  int64_t oldest_us = 0;
  for (const Stream& stream : streams_) {
    const uint32_t job = Oldest(stream);
    if (job == kNone) continue;
    const int64_t create_us = rows_[job].create_us;
    if (oldest_us == 0 || create_us < oldest_us) oldest_us = create_us;
  }
  return oldest_us;
}

}  // namespace switchyard::scheduler
