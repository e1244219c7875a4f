// Who a job is charged to and whose caps it counts against. Internal to the core.
//
// An account is (tenant, key, array); a job knows only its account's number. Each of the three may
// cap what runs: a tenant and a key in devices, an array in jobs (its width). Counting is here; the
// waiting queue asks it what is held back and takes that out of its heaps.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "scheduler/core/settings.h"
#include "scheduler/core/slab.h"
#include "scheduler/core/types.h"

namespace switchyard::scheduler {

struct Tenant {
  TenantSettings settings;
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
  // Made when new. The width of an array is that of its first account.
  uint32_t AccountNumber(uint32_t tenant, uint32_t key, const ArrayMembership& array);

  // A job begins or stops to count as live.
  void Join(uint32_t account) { ++accounts_[account].jobs; }
  // True: that was the array's last job, and Forget is to be called.
  bool Leave(uint32_t account) {
    return --accounts_[account].jobs == 0 && accounts_[account].array != 0;
  }
  void Forget(uint32_t account);

  // An attempt of so many devices is handed out; it has ended.
  void Occupy(uint32_t account, uint32_t devices);
  void Release(uint32_t account, uint32_t devices);

  // What holds a waiting job of so many devices back; kNone: nothing.
  Reason TenantHold(uint32_t tenant, uint8_t kind, uint32_t devices) const;
  Reason KeyHold(uint32_t key, uint32_t devices) const;
  Reason ArrayHold(uint32_t account) const;
  // Whether with so many devices more the tenant is still within what it is guaranteed.
  bool Guaranteed(uint32_t tenant, uint32_t devices) const;

  // Pauses these kinds (a bit each), of one tenant or of all.
  void Pause(uint32_t tenant, uint64_t kinds) { tenants_[tenant].paused |= kinds; }
  void PauseAll(uint64_t kinds) { paused_ |= kinds; }
  void ResumeAll();

  // Replace what was set. The waiting queue must then look at the tenant's or key's jobs again.
  void Set(const TenantSettings& settings) {
    tenants_[TenantNumber(settings.name)].settings = settings;
  }
  void Set(const KeySettings& settings) {
    keys_[KeyNumber(TenantNumber(settings.tenant), settings.id)].settings = settings;
  }

  Tenant& tenant(uint32_t number) { return tenants_[number]; }
  const Tenant& tenant(uint32_t number) const { return tenants_[number]; }
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
  // Looked up only, never iterated: their order is random.
  absl::flat_hash_map<std::string, uint32_t> tenant_numbers_;
  absl::flat_hash_map<std::pair<uint32_t, std::string>, uint32_t> key_numbers_;
  absl::flat_hash_map<std::pair<uint32_t, JobId>, uint32_t> account_numbers_;  // By key, array.
};

}  // namespace switchyard::scheduler
