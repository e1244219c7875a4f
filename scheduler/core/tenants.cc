// What operators set for tenants, keys and the queue, and what tenants use besides jobs.
#include <algorithm>
#include <string>

#include "scheduler/core/core_impl.h"

namespace switchyard::scheduler {
namespace {

// Decayed device time, by all tenants' common measure.
double WeightedCharge(const Tenant& tenant) {
  return static_cast<double>(tenant.charge) * tenant.settings.weight;
}

}  // namespace

TenantSettings Core::Impl::SettingsOf(const TenantPatch& patch) const {
  TenantSettings settings;
  for (const TenantSettings& tenant : config_.tenants) {
    if (tenant.name == patch.name) settings = tenant;
  }
  return Patched(std::move(settings), patch);
}

KeySettings Core::Impl::SettingsOf(const KeyPatch& patch) const {
  KeySettings settings;
  for (const KeySettings& key : config_.keys) {
    if (key.id == patch.id && key.tenant == patch.tenant) settings = key;
  }
  return Patched(std::move(settings), patch);
}

void Core::Impl::ApplySettings() {
  for (const TenantSettings& tenant : config_.tenants) accounts_.Set(tenant);
  for (const KeySettings& key : config_.keys) accounts_.Set(key);
  for (const TenantPatch& patch : config_.live.tenants) accounts_.Set(SettingsOf(patch));
  for (const KeyPatch& patch : config_.live.keys) accounts_.Set(SettingsOf(patch));
  for (const ArrayWidth& array : config_.live.arrays) accounts_.SetWidth(array);
  ApplyPauses();
}

void Core::Impl::ApplyPauses() {
  accounts_.ResumeAll();
  for (const PauseRule& rule : config_.live.pauses) {
    uint64_t kinds = 0;
    for (size_t i = 0; i < kinds_.size(); ++i) {
      if (rule.kind == 0 || rule.kind == kinds_[i].config.number) kinds |= uint64_t{1} << i;
    }
    if (rule.tenant.empty()) {
      accounts_.PauseAll(kinds);
    } else {
      accounts_.Pause(accounts_.TenantNumber(rule.tenant), kinds);
    }
  }
}

void Core::Impl::On(const SetTenant& event) {
  Merge(event.patch, config_.live);
  const auto& patches = config_.live.tenants;
  const auto merged = std::find_if(patches.begin(), patches.end(), [&](const TenantPatch& patch) {
    return patch.name == event.patch.name;
  });
  accounts_.Set(SettingsOf(*merged));
  queue_.TenantChanged(accounts_.TenantNumber(merged->name));
  effects_->settings_changed = true;
  Answer(event.tag, 0);
}

void Core::Impl::On(const SetKey& event) {
  Merge(event.patch, config_.live);
  const auto& patches = config_.live.keys;
  const auto merged = std::find_if(patches.begin(), patches.end(), [&](const KeyPatch& patch) {
    return patch.id == event.patch.id && patch.tenant == event.patch.tenant;
  });
  accounts_.Set(SettingsOf(*merged));
  queue_.KeyChanged(accounts_.KeyNumber(accounts_.TenantNumber(merged->tenant), merged->id));
  effects_->settings_changed = true;
  Answer(event.tag, 0);
}

void Core::Impl::On(const SetArrayWidth& event) {
  // The time to forget what was set for arrays that have ended: it is of no use, and stored whole.
  std::erase_if(config_.live.arrays,
                [this](const ArrayWidth& array) { return accounts_.OfArray(array.array).empty(); });
  const ArrayWidth change{event.array, event.width};
  Merge(change, config_.live);
  accounts_.SetWidth(change);
  for (const uint32_t account : accounts_.OfArray(event.array)) queue_.ArrayChanged(account);
  effects_->settings_changed = true;
  Answer(event.tag, 0);
}

void Core::Impl::On(const PauseQueue& event) {
  PauseRule rule = event.rule;
  rule.create_us = now_.wall_us;
  SetPause(rule, event.paused, config_.live);
  ApplyPauses();
  for (uint32_t i = 0; i < accounts_.tenants(); ++i) queue_.TenantChanged(i);
  if (event.paused) RecallPaused();
  effects_->settings_changed = true;
  Answer(event.tag, 0);
}

void Core::Impl::RecallPaused() {
  for (const auto& [name, number] : worker_names_) {
    for (uint32_t i = workers_[number].attempts_head; i != kNone; i = attempts_[i].next_of_worker) {
      const LiveJob& row = rows_[attempts_[i].job];
      if (!attempts_[i].started && queue_.Hold(row) == Reason::kPaused) SendRecall(i);
    }
  }
}

void Core::Impl::On(const InteractiveUse& event) {
  if (WorkerOf(event.session) == kNone) return;
  for (const InteractiveUse::Use& use : event.uses) {
    charges_.Use(accounts_.TenantNumber(use.tenant), use.device_us);
  }
}

AccountsView Core::Impl::ViewAccounts() const {
  AccountsView view{.live = config_.live};
  double all = 0;
  for (uint32_t i = 0; i < accounts_.tenants(); ++i) all += WeightedCharge(accounts_.tenant(i));
  for (uint32_t i = 0; i < accounts_.tenants(); ++i) {
    const Tenant& tenant = accounts_.tenant(i);
    view.tenants.push_back(
        {.settings = tenant.settings,
         .queued = tenant.queued,
         .running = tenant.running,
         .devices = tenant.devices,
         .charge_seconds = charges_.Seconds(tenant.charge),
         .share = all == 0 ? 0 : WeightedCharge(tenant) / all,
         .device_seconds_today = static_cast<double>(tenant.used_today_us) / 1e6});
  }
  for (uint32_t i = 0; i < accounts_.keys(); ++i) {
    const AccountKey& key = accounts_.key(i);
    if (key.settings.id.empty()) continue;
    view.keys.push_back({.settings = key.settings, .devices = key.devices});
  }
  std::sort(view.tenants.begin(), view.tenants.end(), [](const TenantView& a, const TenantView& b) {
    return a.settings.name < b.settings.name;
  });
  std::sort(view.keys.begin(), view.keys.end(), [](const KeyView& a, const KeyView& b) {
    return std::tie(a.settings.tenant, a.settings.id) < std::tie(b.settings.tenant, b.settings.id);
  });
  return view;
}

}  // namespace switchyard::scheduler
