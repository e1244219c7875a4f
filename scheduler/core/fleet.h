// A snapshot of workers, devices and the queue, for FleetService and metrics. Values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "scheduler/core/event.h"
#include "scheduler/core/settings.h"
#include "scheduler/core/types.h"

namespace switchyard::scheduler {

struct ClassUseView {
  JobClass job_class = JobClass::kUnspecified;
  uint32_t running = 0;
  uint32_t assigned = 0;
  uint32_t limit = 0;
};

struct DeviceView {
  WorkerDevice device;
  std::vector<ClassUseView> use;
  int64_t memory_promised_bytes = 0;  // Of its ledger: contexts, serving budget, grants.
  int64_t serving_budget_bytes = 0;
};

struct WorkerView {
  std::string id;
  std::string incarnation;
  std::string host;
  std::string version;
  bool attached = false;     // Else stale.
  int64_t attach_us = 0;     // Wall clock; when this incarnation attached first.
  int64_t last_seen_us = 0;  // Wall clock; last heartbeat.
  uint32_t attempts = 0;
  std::vector<DeviceView> devices;
  std::vector<std::string> kinds;
  ClassUseView general;
  bool cordoned = false;
  std::string cordon_reason;
  int64_t drain_deadline_us = 0;  // Wall clock; 0: not drained.
  bool host_busy = false;
  HostFigures host_figures;
};

// A tenant, what it may use and what it uses.
struct TenantView {
  TenantSettings settings;
  uint64_t queued = 0;
  uint64_t running = 0;             // Jobs running or cancelling.
  uint32_t devices = 0;             // Of attempts handed out and not ended; what caps count.
  double charge_seconds = 0;        // Decayed device-seconds over weight; least goes next.
  double share = 0;                 // Of all tenants' decayed device-seconds, 0 to 1.
  double device_seconds_today = 0;  // Since midnight UTC.
};

struct KeyView {
  KeySettings settings;
  uint32_t devices = 0;  // As TenantView::devices.
};

struct AccountsView {
  std::vector<TenantView> tenants;  // By name.
  std::vector<KeyView> keys;        // By tenant and id; calls without a key are not listed.
  LiveSettings live;
};

struct QueueView {
  uint64_t queued = 0;                   // Waiting, assigned ones included.
  uint64_t running = 0;                  // Running or cancelling.
  uint64_t queued_by_priority[10] = {};  // Index is the priority, 1 to 9.
  int64_t oldest_create_us = 0;          // Wall clock; 0: none waits. At most one drain old.
};

}  // namespace switchyard::scheduler
