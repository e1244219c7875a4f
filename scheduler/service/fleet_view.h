// How fleet, queue and limits look from outside. Thread-safe: pure functions.
#pragma once

#include "absl/time/time.h"
#include "scheduler/core/fleet.h"
#include "scheduler/engine/leadership.h"
#include "scheduler/engine/live_view.h"
#include "switchyard/v1/fleet_service.pb.h"

namespace switchyard::scheduler {

void AddDevice(const WorkerView& worker, const DeviceView& device, v1::Device* message);
void AddWorker(const WorkerView& worker, v1::Worker* message);
void WriteSchedulers(const Lead& lead, const SchedulersView& schedulers, absl::Time now,
                     v1::ListSchedulersResponse* message);
void WriteQueue(const FleetSnapshot& fleet, absl::Time now, v1::Queue* message);

// `Rules` are LimitRule or LimitRow values.
template <typename Rules>
void WriteLimits(const Rules& rules, v1::Limits* message) {
  for (const auto& rule : rules) {
    v1::Limit* limit = message->add_limits();
    limit->set_worker(rule.worker);
    limit->set_device(rule.device);
    limit->set_job_class(static_cast<v1::JobClass>(rule.job_class));
    limit->set_max_running(rule.max_running);
  }
}

}  // namespace switchyard::scheduler
