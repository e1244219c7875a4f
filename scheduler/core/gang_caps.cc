// Gangs under the cap of their tenant or key. Work of one device takes each that comes free under
// the cap, so a gang that needs several of them at once would wait for as long as such work comes.
// For a gang that has waited for an ageing interval room under the cap is kept until it starts.
#include <vector>

#include "scheduler/core/waiting_queue.h"
#include "scheduler/policy/patience.h"
#include "scheduler/policy/quota.h"

namespace switchyard::scheduler {

// The best gang of a tenant or key so far.
struct WaitingQueue::CapClaim {
  CapKept kept;
  uint64_t due = 0;

  void Take(const CapKept& other, uint64_t other_due) {
    const bool better = kept.group == kNone || other.level < kept.level ||
                        (other.level == kept.level && other_due < due);
    if (!better) return;
    kept = other;
    due = other_due;
  }
};

bool WaitingQueue::HasBeenPassed(const Stream& stream, int64_t wall_us) const {
  return wall_us - WaitsSince(rows_[Oldest(stream)]) >= interval_us_;
}

// One that waits for something else than room under a cap, or that no cap will let start.
bool WaitingQueue::WaitsForMore(const Stream& stream) const {
  const Account& account = accounts_[stream.account];
  const Tenant& tenant = accounts_.tenant(account.tenant);
  const GroupKey& group = groups_[stream.group].key;
  return accounts_.ArrayHold(stream.account) != Reason::kNone ||
         accounts_.Paused(account.tenant, group.kind) ||
         DayUsedUp(tenant.used_today_us, tenant.settings.device_seconds_per_day) ||
         OverLimit(0, group.device_count, tenant.settings.max_running) ||
         OverLimit(0, group.device_count, accounts_.key(account.key).settings.max_running);
}

void WaitingQueue::KeepCaps(int64_t wall_us, absl::FunctionRef<bool(uint32_t group)> possible) {
  std::vector<CapClaim> of_tenants;
  std::vector<CapClaim> of_keys;
  for (uint32_t i = gangs_.Next(0); i != kNone; i = gangs_.Next(i + 1)) {
    const Stream& stream = streams_[i];
    if (!HasBeenPassed(stream, wall_us) || WaitsForMore(stream) || !possible(stream.group))
      continue;
    const Account& account = accounts_[stream.account];
    const GroupKey& group = groups_[stream.group].key;
    const CapKept kept{.group = stream.group, .level = stream.level, .devices = group.device_count};
    const uint64_t due = DueOrder(InLine(rows_[Oldest(stream)]), group.patience, patience_percent_);
    of_tenants.resize(accounts_.tenants());
    of_keys.resize(accounts_.keys());
    if (accounts_.tenant(account.tenant).settings.max_running != 0)
      of_tenants[account.tenant].Take(kept, due);
    if (accounts_.key(account.key).Capped()) of_keys[account.key].Take(kept, due);
  }
  if (of_tenants.empty() && !caps_kept_) return;
  of_tenants.resize(accounts_.tenants());
  of_keys.resize(accounts_.keys());
  caps_kept_ = false;
  for (uint32_t i = 0; i < of_tenants.size(); ++i) KeepTenantCap(i, of_tenants[i].kept);
  for (uint32_t i = 0; i < of_keys.size(); ++i) KeepKeyCap(i, of_keys[i].kept);
}

void WaitingQueue::KeepTenantCap(uint32_t number, const CapKept& kept) {
  Tenant& tenant = accounts_.tenant(number);
  if (kept.group != kNone) caps_kept_ = true;
  if (tenant.kept == kept) return;
  tenant.kept = kept;
  TenantChanged(number);
}

void WaitingQueue::KeepKeyCap(uint32_t number, const CapKept& kept) {
  AccountKey& key = accounts_.key(number);
  if (kept.group != kNone) caps_kept_ = true;
  if (key.kept == kept) return;
  key.kept = kept;
  KeyChanged(number);
}

void WaitingQueue::GiveUpCaps(uint32_t stream) {
  const uint32_t group = streams_[stream].group;
  const Account account = accounts_[streams_[stream].account];
  if (accounts_.tenant(account.tenant).kept.group == group) KeepTenantCap(account.tenant, {});
  if (accounts_.key(account.key).kept.group == group) KeepKeyCap(account.key, {});
}

}  // namespace switchyard::scheduler
