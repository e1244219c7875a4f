#include "scheduler/core/waiting_queue.h"

#include <algorithm>

#include "scheduler/policy/patience.h"

namespace switchyard::scheduler {
namespace {

// The element at `at`, made with `value` as needed.
template <class T>
T& At(std::vector<T>& all, size_t at, const T& value) {
  if (at >= all.size()) all.resize(at + 1, value);
  return all[at];
}

uint64_t BranchKey(uint32_t group, uint32_t of, int level) {
  return uint64_t{group} << 36 | uint64_t{of} << 4 | static_cast<uint64_t>(level);
}

}  // namespace

uint32_t WaitingQueue::GroupNumber(const GroupKey& key) {
  if (!groups_.empty() && groups_[last_group_].key.Packed() == key.Packed()) return last_group_;
  const auto [found, made] =
      group_numbers_.try_emplace(key.Packed(), static_cast<uint32_t>(groups_.size()));
  if (made) {
    Group& group = groups_.emplace_back();
    group.key = key;
    for (uint32_t slot = 0; slot < kSlots; ++slot) group.roots[slot] = heaps_.Add(slot);
  }
  last_group_ = found->second;
  return last_group_;
}

uint32_t WaitingQueue::FindGroup(const GroupKey& key) const {
  const auto found = group_numbers_.find(key.Packed());
  return found == group_numbers_.end() ? kNone : found->second;
}

uint32_t WaitingQueue::StreamOf(const LiveJob& row) {
  const uint32_t group = GroupNumber(GroupKeyOf(row));
  const auto [found, made] =
      stream_numbers_.try_emplace(BranchKey(group, row.account, row.priority), kNone);
  if (!made) return found->second;
  const uint32_t number = streams_.Add();
  found->second = number;
  uint32_t& first = At(account_streams_, row.account, kNone);
  Stream& stream = streams_[number];
  stream.account = row.account;
  stream.group = group;
  stream.priority = row.priority;
  stream.in_use = true;
  stream.node = heaps_.Add(number);
  stream.next_of_account = first;
  first = number;
  return number;
}

uint32_t WaitingQueue::KeyBranch(const Stream& stream, int level) {
  const Account& account = accounts_[stream.account];
  const auto [found, made] = key_branch_numbers_.try_emplace(
      BranchKey(stream.group, account.key, level), static_cast<uint32_t>(key_branches_.size()));
  if (!made) return found->second;
  const uint32_t number = found->second;
  key_branches_.push_back({.group = stream.group,
                           .level = static_cast<uint8_t>(level),
                           .of = account.key,
                           .parent = TenantBranch(account.tenant, stream.group, level),
                           .node = heaps_.Add(number)});
  At(branches_of_key_, account.key, {}).push_back(number);
  return number;
}

uint32_t WaitingQueue::TenantBranch(uint32_t tenant, uint32_t group, int level) {
  const auto [found, made] = tenant_branch_numbers_.try_emplace(
      BranchKey(group, tenant, level), static_cast<uint32_t>(tenant_branches_.size()));
  if (!made) return found->second;
  const uint32_t number = found->second;
  tenant_branches_.push_back({.group = group,
                              .level = static_cast<uint8_t>(level),
                              .of = tenant,
                              .parent = kNone,
                              .node = heaps_.Add(number)});
  At(branches_of_tenant_, tenant, {}).push_back(number);
  return number;
}

void WaitingQueue::Push(uint32_t job, int64_t wall_us) {
  LiveJob& row = rows_[job];
  row.stream = StreamOf(row);
  Stream& stream = streams_[row.stream];
  Tenant& tenant = accounts_.TenantOf(stream.account);
  if (tenant.waiting++ == 0) charges_.Return(accounts_[stream.account].tenant);
  ++waiting_;
  ++stream.jobs;
  const bool in_order = InLine(row) == row.id;
  const bool newest = in_order && (stream.tail == kNone || rows_[stream.tail].id < row.id);
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
    stream.early.emplace(InLine(row), job);
  }
  if (Oldest(stream) != oldest) Reposition(row.stream, wall_us);
}

void WaitingQueue::Remove(uint32_t job, int64_t wall_us) {
  LiveJob& row = rows_[job];
  const uint32_t number = row.stream;
  Stream& stream = streams_[number];
  const bool was_oldest = Oldest(stream) == job;
  if (row.waits == Waits::kEarly) {
    stream.early.erase({InLine(row), job});
  } else {
    Unlink(stream, job);
  }
  row.waits = Waits::kNot;
  row.stream = kNone;
  --accounts_.TenantOf(stream.account).waiting;
  --waiting_;
  --stream.jobs;
  if (was_oldest) Reposition(number, wall_us);
  if (was_oldest && caps_kept_) GiveUpCaps(number);
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
  const auto& [in_line, job] = *stream.early.begin();
  return stream.head == kNone || in_line < rows_[stream.head].id ? job : stream.head;
}

int64_t WaitingQueue::WaitsSince(const LiveJob& row) const {
  if (row.cold == nullptr) return row.create_us;
  const int64_t since_us = std::max(row.create_us, row.cold->not_before_us);
  // What ran has not waited: a preempted job that counted as old would take its devices back.
  const auto& past = row.cold->past;
  const bool preempted = !past.empty() && past.back().outcome == Outcome::kPreempted;
  return preempted ? std::max(since_us, past.back().end_us) : since_us;
}

JobId WaitingQueue::InLine(const LiveJob& row) const {
  const int64_t since_us = WaitsSince(row);
  return since_us <= row.create_us ? row.id : std::max(row.id, NextJobId(0, since_us / 1000));
}

int WaitingQueue::Level(const Stream& stream, uint32_t oldest, int64_t wall_us) const {
  const int64_t since_us = WaitsSince(rows_[oldest]);
  const int level = EffectivePriority(stream.priority, wall_us - since_us, interval_us_);
  return reversed_ ? kLeastUrgentPriority + kMostUrgentPriority - level : level;
}

void WaitingQueue::Reposition(uint32_t number, int64_t wall_us) {
  Stream& stream = streams_[number];
  const uint32_t oldest = Oldest(stream);
  const int level = oldest == kNone ? 0 : Level(stream, oldest, wall_us);
  if (level != stream.level) {
    stream.level = static_cast<uint8_t>(level);
    ageing_.Put(number, level != 0 && stream.priority > kBestAgedPriority);
    gangs_.Put(number, level != 0 && groups_[stream.group].key.device_count > 1);
    // An empty stream keeps its branch: most come back at the same level.
    if (level != 0 && (stream.branch == kNone || key_branches_[stream.branch].level != level)) {
      const uint32_t left = stream.branch;
      stream.branch = KeyBranch(stream, level);
      heaps_.Take(stream.node);
      if (left != kNone) PlaceKey(left);
    }
  }
  PlaceStream(number);
}

void WaitingQueue::PlaceStream(uint32_t number) {
  Stream& stream = streams_[number];
  if (stream.branch == kNone) return;
  groups_[stream.group].known = false;
  const bool offered = stream.level != 0 && accounts_.ArrayHold(stream.account) == Reason::kNone;
  if (offered) {
    const uint8_t patience = groups_[stream.group].key.patience;
    const uint64_t due = DueOrder(InLine(rows_[Oldest(stream)]), patience, patience_percent_);
    heaps_.Put(stream.node, key_branches_[stream.branch].node, {.due = due});
  } else {
    if (heaps_.Parent(stream.node) == kNone) return;
    heaps_.Take(stream.node);
  }
  PlaceKey(stream.branch);
}

void WaitingQueue::PlaceKey(uint32_t number) {
  const Branch& branch = key_branches_[number];
  groups_[branch.group].known = false;
  const Offer offer = OfferOf(branch.group, branch.level);
  if (!heaps_.empty(branch.node) && accounts_.KeyHold(branch.of, offer) == Reason::kNone) {
    const NodeRank& rank = heaps_.TopRank(branch.node);
    const bool same = heaps_.Parent(branch.node) != kNone && heaps_.Rank(branch.node) == rank;
    if (same) return;
    heaps_.Put(branch.node, tenant_branches_[branch.parent].node, rank);
  } else {
    if (heaps_.Parent(branch.node) == kNone) return;
    heaps_.Take(branch.node);
  }
  PlaceTenant(branch.parent);
}

void WaitingQueue::PlaceTenant(uint32_t number) {
  const Branch& branch = tenant_branches_[number];
  Group& group = groups_[branch.group];
  group.known = false;
  const Offer offer = OfferOf(branch.group, branch.level);
  const uint32_t from = heaps_.Parent(branch.node);
  uint32_t to = kNone;
  if (!heaps_.empty(branch.node) &&
      accounts_.TenantHold(branch.of, group.key.kind, offer) == Reason::kNone) {
    const int slot = branch.level + (accounts_.Guaranteed(branch.of, offer.devices) ? 0 : kShelf);
    to = group.roots[slot];
    heaps_.Put(branch.node, to,
               {accounts_.tenant(branch.of).charge, heaps_.TopRank(branch.node).due});
    SetSlots(branch.group, group.slots | 1u << slot);
  } else {
    heaps_.Take(branch.node);
  }
  accounts_.tenant(branch.of).offered += (to != kNone) - (from != kNone);
  if (from == kNone || from == to || !heaps_.empty(from)) return;
  SetSlots(branch.group, group.slots & ~(1u << heaps_.Owner(from)));
}

void WaitingQueue::SetSlots(uint32_t number, uint32_t slots) {
  Group& group = groups_[number];
  if ((group.slots == 0) != (slots == 0)) offered_.Put(number, slots != 0);
  group.slots = slots;
}

void WaitingQueue::ArrayChanged(uint32_t account) {
  if (accounts_[account].array == 0 || account >= account_streams_.size()) return;
  for (uint32_t i = account_streams_[account]; i != kNone; i = streams_[i].next_of_account) {
    PlaceStream(i);
  }
}

void WaitingQueue::KeyChanged(uint32_t key) {
  if (key >= branches_of_key_.size()) return;
  for (const uint32_t branch : branches_of_key_[key]) PlaceKey(branch);
}

void WaitingQueue::TenantChanged(uint32_t tenant) {
  if (tenant >= branches_of_tenant_.size()) return;
  for (const uint32_t branch : branches_of_tenant_[tenant]) PlaceTenant(branch);
}

void WaitingQueue::Occupy(uint32_t number, uint32_t devices) {
  const Account& account = accounts_[number];
  accounts_.Occupy(number, devices);
  if (account.width != 0) ArrayChanged(number);
  if (accounts_.key(account.key).Capped()) KeyChanged(account.key);
  if (accounts_.tenant(account.tenant).Capped()) TenantChanged(account.tenant);
}

void WaitingQueue::Release(uint32_t number, uint32_t devices) {
  const Account& account = accounts_[number];
  accounts_.Release(number, devices);
  if (account.width != 0) ArrayChanged(number);
  if (accounts_.key(account.key).Capped()) KeyChanged(account.key);
  if (accounts_.tenant(account.tenant).Capped()) TenantChanged(account.tenant);
}

void WaitingQueue::Forget(uint32_t account) {
  if (account >= account_streams_.size()) return;
  for (uint32_t i = account_streams_[account]; i != kNone;) {
    const Stream& stream = streams_[i];
    const uint32_t next = stream.next_of_account;
    stream_numbers_.erase(BranchKey(stream.group, account, stream.priority));
    heaps_.Remove(stream.node);
    streams_.Remove(i);
    i = next;
  }
  account_streams_[account] = kNone;
}

Reason WaitingQueue::Hold(const LiveJob& row) const {
  const Account& account = accounts_[row.account];
  Offer offer{.devices = row.device_count};
  if (row.stream != kNone) offer = OfferOf(streams_[row.stream].group, streams_[row.stream].level);
  const Reason tenant = accounts_.TenantHold(account.tenant, row.kind, offer);
  if (tenant != Reason::kNone) return tenant;
  const Reason key = accounts_.KeyHold(account.key, offer);
  return key != Reason::kNone ? key : accounts_.ArrayHold(row.account);
}

bool WaitingQueue::Best(uint32_t number, Candidate& best, bool urgent) {
  Group& group = groups_[number];
  if (urgent && group.known && accounts_.tenant(group.tenant).charge == group.best.place.charge) {
    best = group.best;
    return true;
  }
  const uint32_t slots = urgent ? group.slots : group.slots & ~kUrgentSlots;
  if (slots == 0) return false;
  uint32_t tenant = 0;
  FindBest(group, slots, best, tenant);
  if (!urgent) return true;
  group.known = true;
  group.best = best;
  group.tenant = tenant;
  return true;
}

void WaitingQueue::FindBest(Group& group, uint32_t slots, Candidate& best, uint32_t& tenant) {
  const int slot = __builtin_ctz(slots);
  const uint32_t root = group.roots[slot];
  for (;;) {
    const uint32_t node = heaps_.Top(root);
    const NodeRank& rank = heaps_.TopRank(root);
    tenant = tenant_branches_[heaps_.Owner(node)].of;
    const uint64_t charge = accounts_.tenant(tenant).charge;
    if (rank.charge == charge) break;
    heaps_.Put(node, root, {charge, rank.due});
  }
  const NodeRank& rank = heaps_.TopRank(root);
  best.place = {.beyond_guarantee = slot >= kShelf,
                .level = slot % kShelf,
                .charge = rank.charge,
                .due = rank.due};
  const uint32_t key = heaps_.Top(heaps_.Top(root));
  best.job = Oldest(streams_[heaps_.Owner(heaps_.Top(key))]);
}

void WaitingQueue::Age(int64_t wall_us, absl::FunctionRef<bool(uint32_t group)> possible) {
  for (uint32_t i = ageing_.Next(0); i != kNone; i = ageing_.Next(i + 1)) {
    const Stream& stream = streams_[i];
    if (Level(stream, Oldest(stream), wall_us) != stream.level) Reposition(i, wall_us);
  }
  KeepCaps(wall_us, possible);
}

int64_t WaitingQueue::OldestCreateTime() const {
  int64_t oldest_us = 0;
  for (uint32_t i = 0; i < streams_.size(); ++i) {
    const uint32_t job = streams_[i].in_use ? Oldest(streams_[i]) : kNone;
    if (job == kNone) continue;
    const int64_t create_us = rows_[job].create_us;
    if (oldest_us == 0 || create_us < oldest_us) oldest_us = create_us;
  }
  return oldest_us;
}

}  // namespace switchyard::scheduler
