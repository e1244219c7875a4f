#include "scheduler/service/fleet_view.h"

#include <algorithm>

namespace switchyard::scheduler {
namespace {

void SetTime(int64_t micros, google::protobuf::Timestamp* time) {
  time->set_seconds(micros / 1'000'000);
  time->set_nanos(static_cast<int32_t>(micros % 1'000'000 * 1000));
}

void AddUse(const ClassUseView& use, v1::ClassUse* message) {
  message->set_job_class(static_cast<v1::JobClass>(use.job_class));
  message->set_running(use.running);
  message->set_assigned(use.assigned);
  message->set_limit(use.limit);
}

void AddHostFigures(const HostFigures& figures, v1::HostFigures* message) {
  message->set_ledger_id(figures.ledger_id);
  message->set_memory_total_bytes(figures.memory_total_bytes);
  message->set_memory_used_bytes(figures.memory_used_bytes);
  message->set_memory_ceiling_bytes(figures.memory_ceiling_bytes);
  message->set_cpu_used_millicores(figures.cpu_used_millicores);
  message->set_cpu_ceiling_millicores(figures.cpu_ceiling_millicores);
}

}  // namespace

void AddDevice(const WorkerView& worker, const DeviceView& view, v1::Device* message) {
  const WorkerDevice& device = view.device;
  message->set_worker(worker.id);
  message->set_device(device.device);
  message->set_name(device.name);
  message->set_memory_total_bytes(device.memory_total_bytes);
  message->set_memory_used_bytes(device.memory_used_bytes);
  message->set_uuid(device.uuid);
  message->set_compute_capability(device.compute_capability);
  message->set_libtorch_version(device.libtorch_version);
  message->set_cuda_version(device.cuda_version);
  message->set_cores(device.cores);
  message->set_runner_context_bytes(device.runner_context_bytes);
  message->set_memory_promised_bytes(view.memory_promised_bytes);
  message->set_serving_budget_bytes(view.serving_budget_bytes);
  for (const ClassUseView& use : view.use) AddUse(use, message->add_use());
}

void AddWorker(const WorkerView& worker, v1::Worker* message) {
  message->set_id(worker.id);
  message->set_incarnation(worker.incarnation);
  message->set_state(worker.attached ? v1::Worker::ATTACHED : v1::Worker::STALE);
  message->set_host(worker.host);
  message->set_version(worker.version);
  if (worker.attach_us != 0) SetTime(worker.attach_us, message->mutable_attach_time());
  if (worker.last_seen_us != 0) SetTime(worker.last_seen_us, message->mutable_last_seen_time());
  for (const DeviceView& device : worker.devices) message->add_devices(device.device.device);
  message->set_attempts(worker.attempts);
  message->set_cordoned(worker.cordoned);
  message->set_cordon_reason(worker.cordon_reason);
  if (worker.drain_deadline_us != 0) {
    SetTime(worker.drain_deadline_us, message->mutable_drain_time());
  }
  message->set_host_busy(worker.host_busy);
  AddHostFigures(worker.host_figures, message->mutable_host_figures());
}

void WriteSchedulers(const Lead& lead, const SchedulersView& schedulers, absl::Time now,
                     v1::ListSchedulersResponse* message) {
  const auto add = [message](const SchedulerIdentity& scheduler) {
    v1::Scheduler* entry = message->add_schedulers();
    entry->set_name(scheduler.name);
    entry->set_address(scheduler.client_address);
    entry->set_version(scheduler.version);
    return entry;
  };
  v1::Scheduler* leader = add(schedulers.leader);
  leader->set_role(v1::Scheduler::LEADER);
  leader->set_term(lead.term);
  for (const StandbyRow& row : schedulers.standbys) {
    v1::Scheduler* standby = add(row.scheduler);
    standby->set_role(v1::Scheduler::STANDBY);
    SetTime(absl::ToUnixMicros(now - row.age), standby->mutable_last_seen_time());
  }
}

void WriteQueue(const FleetSnapshot& fleet, absl::Time now, v1::Queue* message) {
  const QueueView& queue = fleet.queue;
  message->set_queued(queue.queued);
  message->set_running(queue.running);
  for (int priority = kMostUrgentPriority; priority <= kLeastUrgentPriority; ++priority) {
    message->add_queued_by_priority(queue.queued_by_priority[priority]);
  }
  if (queue.oldest_create_us != 0) {
    const int64_t age_us = std::max<int64_t>(0, absl::ToUnixMicros(now) - queue.oldest_create_us);
    message->mutable_oldest_age()->set_seconds(age_us / 1'000'000);
    message->mutable_oldest_age()->set_nanos(static_cast<int32_t>(age_us % 1'000'000 * 1000));
  }
  message->set_capacity(fleet.queue_capacity);
  message->set_epoch(fleet.epoch);
}

}  // namespace switchyard::scheduler
