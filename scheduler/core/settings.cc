#include "scheduler/core/settings.h"

#include <algorithm>
#include <tuple>

namespace switchyard::scheduler {
namespace {

auto Key(const TenantPatch& patch) { return std::tie(patch.name); }
auto Key(const KeyPatch& patch) { return std::tie(patch.tenant, patch.id); }
auto Key(const ArrayWidth& width) { return std::tie(width.array); }
auto Key(const PauseRule& rule) { return std::tie(rule.tenant, rule.kind); }

template <class T>
auto Find(std::vector<T>& all, const T& wanted) {
  return std::lower_bound(all.begin(), all.end(), wanted,
                          [](const T& a, const T& b) { return Key(a) < Key(b); });
}

// The one with the key of `wanted`, made when there is none.
template <class T>
T& FindOrAdd(std::vector<T>& all, const T& wanted) {
  const auto found = Find(all, wanted);
  if (found != all.end() && Key(*found) == Key(wanted)) return *found;
  return *all.insert(found, wanted);
}

template <class T, class U>
void Take(const std::optional<T>& from, U& to) {
  if (from.has_value()) to = *from;
}

}  // namespace

void Merge(const TenantPatch& patch, LiveSettings& settings) {
  TenantPatch& kept = FindOrAdd(settings.tenants, patch);
  Take(patch.weight, kept.weight);
  Take(patch.guaranteed_running, kept.guaranteed_running);
  Take(patch.max_running, kept.max_running);
  Take(patch.max_queued, kept.max_queued);
  Take(patch.device_seconds_per_day, kept.device_seconds_per_day);
}

void Merge(const KeyPatch& patch, LiveSettings& settings) {
  KeyPatch& kept = FindOrAdd(settings.keys, patch);
  Take(patch.max_running, kept.max_running);
  Take(patch.highest_priority, kept.highest_priority);
  Take(patch.rate_per_second, kept.rate_per_second);
  Take(patch.burst, kept.burst);
}

void Merge(const ArrayWidth& change, LiveSettings& settings) {
  FindOrAdd(settings.arrays, change).width = change.width;
}

void SetPause(const PauseRule& rule, bool paused, LiveSettings& settings) {
  if (paused) {
    FindOrAdd(settings.pauses, rule);
    return;
  }
  const auto found = Find(settings.pauses, rule);
  if (found != settings.pauses.end() && found->Same(rule)) settings.pauses.erase(found);
}

TenantSettings Patched(TenantSettings settings, const TenantPatch& patch) {
  settings.name = patch.name;
  Take(patch.weight, settings.weight);
  Take(patch.guaranteed_running, settings.guaranteed_running);
  Take(patch.max_running, settings.max_running);
  Take(patch.max_queued, settings.max_queued);
  Take(patch.device_seconds_per_day, settings.device_seconds_per_day);
  return settings;
}

KeySettings Patched(KeySettings settings, const KeyPatch& patch) {
  settings.id = patch.id;
  settings.tenant = patch.tenant;
  Take(patch.max_running, settings.max_running);
  return settings;
}

}  // namespace switchyard::scheduler
