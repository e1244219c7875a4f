// What an operator sets for tenants, keys and the queue, as plain values. First from the
// scheduler's config, then changed live by SetTenant, SetKey and PauseQueue (event.h).
//
// Values; thread-compatible. In all of them 0 means: no such limit.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/id/job_id.h"

namespace switchyard::scheduler {

struct TenantSettings {
  std::string name;
  uint32_t weight = 1;  // Share of device time relative to other tenants', 1 to 1000.
  // Devices it gets before anyone who is beyond his own guarantee, whatever the priorities. What it
  // leaves idle others use; what it uses beyond is borrowed and is given back.
  uint32_t guaranteed_running = 0;
  uint32_t max_running = 0;             // Devices in use at the same time, never more.
  uint64_t max_queued = 0;              // Jobs that wait, assigned ones included.
  uint64_t device_seconds_per_day = 0;  // In a UTC day.
  friend bool operator==(const TenantSettings&, const TenantSettings&) = default;
};

struct KeySettings {
  std::string id;
  std::string tenant;
  uint32_t max_running = 0;  // Devices in use at the same time by jobs of this key.
  friend bool operator==(const KeySettings&, const KeySettings&) = default;
};

// Changed live: the fields that are set count instead of the configured ones, over restarts.
struct TenantPatch {
  std::string name;
  std::optional<uint32_t> weight;
  std::optional<uint32_t> guaranteed_running;
  std::optional<uint32_t> max_running;
  std::optional<uint64_t> max_queued;
  std::optional<uint64_t> device_seconds_per_day;
  friend bool operator==(const TenantPatch&, const TenantPatch&) = default;
};
struct KeyPatch {
  std::string id;
  std::string tenant;
  std::optional<uint32_t> max_running;
  // Kept for the service, which holds them; the core does nothing with them.
  std::optional<uint32_t> highest_priority;
  std::optional<double> rate_per_second;
  std::optional<uint32_t> burst;
  friend bool operator==(const KeyPatch&, const KeyPatch&) = default;
};

// Jobs that are not started: all, a tenant's, a kind's, or a kind's of a tenant.
struct PauseRule {
  std::string tenant;  // Empty: every tenant's.
  uint16_t kind = 0;   // KindConfig::number; 0: every kind.
  int64_t create_us = 0;
  bool Same(const PauseRule& other) const { return tenant == other.tenant && kind == other.kind; }
  friend bool operator==(const PauseRule&, const PauseRule&) = default;
};

// The width of an array that was changed since it was submitted; 0: no limit.
struct ArrayWidth {
  JobId array = 0;
  uint32_t width = 0;
  friend bool operator==(const ArrayWidth&, const ArrayWidth&) = default;
};

// All that was changed live, as it is stored.
struct LiveSettings {
  std::vector<TenantPatch> tenants;  // By name.
  std::vector<KeyPatch> keys;        // By tenant and id.
  std::vector<PauseRule> pauses;     // By tenant and kind.
  std::vector<ArrayWidth> arrays;    // By array; of arrays that have ended for a while only.
  bool empty() const { return tenants.empty() && keys.empty() && pauses.empty() && arrays.empty(); }
  friend bool operator==(const LiveSettings&, const LiveSettings&) = default;
};

// Merges a change into what was changed before. The order of the lists holds.
void Merge(const TenantPatch& patch, LiveSettings& settings);
void Merge(const KeyPatch& patch, LiveSettings& settings);
void Merge(const ArrayWidth& change, LiveSettings& settings);
// Sets or takes back the pause of exactly this tenant and kind.
void SetPause(const PauseRule& rule, bool paused, LiveSettings& settings);

// What counts, from what was configured and what was changed.
TenantSettings Patched(TenantSettings settings, const TenantPatch& patch);
KeySettings Patched(KeySettings settings, const KeyPatch& patch);

}  // namespace switchyard::scheduler
