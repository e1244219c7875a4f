// Who a job is charged to and whose caps it counts against. Internal to the core.
//
// An account is (tenant, key, array); a job knows only its account's number. Each of the three may
// cap what runs: a tenant and a key in devices, an array in jobs (its width). Counting is here; the
// waiting queue asks it what is held back and takes that out of its heaps.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "scheduler/core/settings.h"
#include "scheduler/core/slab.h"
#include "scheduler/core/types.h"

namespace switchyard::scheduler {

// Who asks whether it may be offered: jobs of a group at a level.
struct Offer {
  uint32_t group = kNone;
  int level = 0;
  uint32_t devices = 1;  // Of each.
};

// Room under a cap that is kept for a gang: what else counts against the cap and is not more urgent
// may use what is beside it. Set by the waiting queue.
struct CapKept {
  uint32_t group = kNone;  // The gang's; kNone: no room is kept.
  int level = 0;           // That the gang waits at.
  uint32_t devices = 0;
  friend bool operator==(const CapKept&, const CapKept&) = default;

  // Devices that are in use as far as `offer` is concerned, beside those that are.
  uint32_t For(const Offer& offer) const {
    return group == kNone || group == offer.group || offer.level < level ? 0 : devices;
  }
};

struct Tenant {
  TenantSettings settings;
  CapKept kept;
  uint64_t charge = 0;   // policy/fair_share.h.
  uint64_t queued = 0;   // Jobs in state QUEUED or BLOCKED, for the capacity.
  uint64_t waiting = 0;  // Of these, in the waiting queue.
  uint64_t running = 0;  // Jobs running or cancelling.
  uint64_t paused = 0;   // Bit: the kind is paused.
  uint32_t devices = 0;  // Of attempts handed out and not ended.
  uint32_t offered = 0;  // Places in the order it stands at: waits, and is not held back.
  // charges.h keeps these.
  uint32_t running_devices = 0;  // Of attempts that have started.
  int64_t settled_us = 0;        // Boot clock: charged up to then.
  int64_t promised_us = 0;       // Expected device time of all attempts handed out.
  int64_t prepaid_us = 0;        // Charged ahead and not used yet.
  int64_t used_today_us = 0;

  // Whether what it runs decides what of it may be offered.
  bool Capped() const { return settings.max_running != 0 || settings.guaranteed_running != 0; }
};

// The key with the empty id stands for calls without one.
struct AccountKey {
  KeySettings settings;
  CapKept kept;
  uint32_t tenant = 0;
  uint32_t devices = 0;

  bool Capped() const { return settings.max_running != 0; }
};

struct Account {
  uint32_t tenant = 0;
  uint32_t key = 0;
  JobId array = 0;       // 0: of no array.
  uint32_t width = 0;    // Most jobs of the array running at once; 0: no limit.
  uint32_t running = 0;  // Jobs handed out and not ended, of an array.
  uint64_t jobs = 0;     // Live ones.
};

// Not thread-safe. Tenants, keys and accounts by number, from 0. Tenants and keys are never
// forgotten (an operator names them); the account of an array is, with its last job.
class Accounts {
 public:
  // `quota_leak` is PlantedBugs::quota_leak.
  explicit Accounts(bool quota_leak = false) : quota_leak_(quota_leak) {}

  uint32_t TenantNumber(const std::string& name);
  uint32_t KeyNumber(uint32_t tenant, const std::string& id);
  // Made when new. The width of an array is that of its first account, unless it was set.
  uint32_t AccountNumber(uint32_t tenant, uint32_t key, const ArrayMembership& array);

  // A job begins or stops to count as live.
  void Join(uint32_t account) { ++accounts_[account].jobs; }
  // True: that was the array's last job, and Forget is to be called.
  bool Leave(uint32_t account) {
    return --accounts_[account].jobs == 0 && accounts_[account].array != 0;
  }
  void Forget(uint32_t account);
  // The accounts of an array: one for each key that has live jobs of it.
  std::vector<uint32_t> OfArray(JobId array) const;
  // For what there is of the array and what will come of it.
  void SetWidth(const ArrayWidth& change);

  // An attempt of so many devices is handed out; it has ended.
  void Occupy(uint32_t account, uint32_t devices);
  void Release(uint32_t account, uint32_t devices);

  // What holds waiting jobs back; kNone: nothing.
  Reason TenantHold(uint32_t tenant, uint8_t kind, const Offer& offer) const;
  Reason KeyHold(uint32_t key, const Offer& offer) const;
  Reason ArrayHold(uint32_t account) const;
  // Whether with so many devices more the tenant is still within what it is guaranteed.
  bool Guaranteed(uint32_t tenant, uint32_t devices) const;

  // Pauses these kinds (a bit each), of one tenant or of all.
  void Pause(uint32_t tenant, uint64_t kinds) { tenants_[tenant].paused |= kinds; }
  void PauseAll(uint64_t kinds) { paused_ |= kinds; }
  void ResumeAll();
  bool Paused(uint32_t tenant, uint8_t kind) const {
    return ((paused_ | tenants_[tenant].paused) >> kind & 1) != 0;
  }

  // Replace what was set. The waiting queue must then look at the tenant's or key's jobs again.
  void Set(const TenantSettings& settings) {
    tenants_[TenantNumber(settings.name)].settings = settings;
  }
  void Set(const KeySettings& settings) {
    keys_[KeyNumber(TenantNumber(settings.tenant), settings.id)].settings = settings;
  }

  Tenant& tenant(uint32_t number) { return tenants_[number]; }
  const Tenant& tenant(uint32_t number) const { return tenants_[number]; }
  AccountKey& key(uint32_t number) { return keys_[number]; }
  const AccountKey& key(uint32_t number) const { return keys_[number]; }
  const Account& operator[](uint32_t number) const { return accounts_[number]; }
  Tenant& TenantOf(uint32_t account) { return tenants_[accounts_[account].tenant]; }
  const Tenant& TenantOf(uint32_t account) const { return tenants_[accounts_[account].tenant]; }
  const std::string& TenantName(uint32_t account) const { return TenantOf(account).settings.name; }
  const std::string& KeyId(uint32_t account) const {
    return keys_[accounts_[account].key].settings.id;
  }
  uint32_t tenants() const { return static_cast<uint32_t>(tenants_.size()); }
  uint32_t keys() const { return static_cast<uint32_t>(keys_.size()); }

 private:
  std::vector<Tenant> tenants_;
  const bool quota_leak_;
  uint64_t paused_ = 0;  // Bit: the kind is paused for all.
  std::vector<AccountKey> keys_;
  Slab<Account> accounts_;
  std::map<JobId, uint32_t> widths_;  // That were set, by array.
  // Looked up only, never iterated: their order is random.
  absl::flat_hash_map<std::string, uint32_t> tenant_numbers_;
  absl::flat_hash_map<std::pair<uint32_t, std::string>, uint32_t> key_numbers_;
  absl::flat_hash_map<std::pair<uint32_t, JobId>, uint32_t> account_numbers_;  // By key, array.
};

}  // namespace switchyard::scheduler
