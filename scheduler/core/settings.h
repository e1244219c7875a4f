// What an operator sets for tenants and keys, as plain values. First from the scheduler's config,
// then changed live by SetTenant and SetKey (event.h).
//
// Values; thread-compatible. In all of them 0 means: no such limit.
#pragma once

#include <cstdint>
#include <string>

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

}  // namespace switchyard::scheduler
