#include "scheduler/core/accounts.h"

#include "scheduler/policy/quota.h"

namespace switchyard::scheduler {

uint32_t Accounts::TenantNumber(const std::string& name) {
  const auto [found, made] =
      tenant_numbers_.try_emplace(name, static_cast<uint32_t>(tenants_.size()));
  if (made) tenants_.push_back({.settings = {.name = name}});
  return found->second;
}

uint32_t Accounts::KeyNumber(uint32_t tenant, const std::string& id) {
  const auto [found, made] =
      key_numbers_.try_emplace({tenant, id}, static_cast<uint32_t>(keys_.size()));
  if (made) {
    keys_.push_back(
        {.settings = {.id = id, .tenant = tenants_[tenant].settings.name}, .tenant = tenant});
  }
  return found->second;
}

uint32_t Accounts::AccountNumber(uint32_t tenant, uint32_t key, const ArrayMembership& array) {
  const auto [found, made] = account_numbers_.try_emplace({key, array.id}, kNone);
  if (made) {
    found->second = accounts_.Add();
    accounts_[found->second] = {
        .tenant = tenant, .key = key, .array = array.id, .width = array.width};
    const auto set = widths_.find(array.id);
    if (set != widths_.end()) accounts_[found->second].width = set->second;
  }
  return found->second;
}

void Accounts::Forget(uint32_t account) {
  account_numbers_.erase({accounts_[account].key, accounts_[account].array});
  accounts_.Remove(account);
}

std::vector<uint32_t> Accounts::OfArray(JobId array) const {
  std::vector<uint32_t> accounts;
  for (uint32_t key = 0; key < keys_.size(); ++key) {
    const auto found = account_numbers_.find({key, array});
    if (found != account_numbers_.end()) accounts.push_back(found->second);
  }
  return accounts;
}

void Accounts::SetWidth(const ArrayWidth& change) {
  widths_[change.array] = change.width;
  for (const uint32_t account : OfArray(change.array)) accounts_[account].width = change.width;
}

void Accounts::Occupy(uint32_t number, uint32_t devices) {
  Account& account = accounts_[number];
  if (account.array != 0) ++account.running;
  keys_[account.key].devices += devices;
  tenants_[account.tenant].devices += devices;
}

void Accounts::Release(uint32_t number, uint32_t devices) {
  Account& account = accounts_[number];
  if (account.array != 0) --account.running;
  keys_[account.key].devices -= devices;
  tenants_[account.tenant].devices -= devices;
}

void Accounts::ResumeAll() {
  paused_ = 0;
  for (Tenant& tenant : tenants_) tenant.paused = 0;
}

Reason Accounts::TenantHold(uint32_t number, uint8_t kind, const Offer& offer) const {
  const Tenant& tenant = tenants_[number];
  if (Paused(number, kind)) return Reason::kPaused;
  const uint64_t in_use = uint64_t{tenant.devices} + tenant.kept.For(offer);
  const bool over = OverLimit(in_use, offer.devices, tenant.settings.max_running) ||
                    DayUsedUp(tenant.used_today_us, tenant.settings.device_seconds_per_day);
  return over && !quota_leak_ ? Reason::kQuota : Reason::kNone;
}

Reason Accounts::KeyHold(uint32_t number, const Offer& offer) const {
  const AccountKey& key = keys_[number];
  const uint64_t in_use = uint64_t{key.devices} + key.kept.For(offer);
  return OverLimit(in_use, offer.devices, key.settings.max_running) ? Reason::kKeyLimit
                                                                    : Reason::kNone;
}

Reason Accounts::ArrayHold(uint32_t number) const {
  const Account& account = accounts_[number];
  const bool over = OverLimit(account.running, 1, account.width);
  return over && !quota_leak_ ? Reason::kArrayWidth : Reason::kNone;
}

bool Accounts::Guaranteed(uint32_t number, uint32_t devices) const {
  const Tenant& tenant = tenants_[number];
  return uint64_t{tenant.devices} + devices <= tenant.settings.guaranteed_running;
}

}  // namespace switchyard::scheduler
