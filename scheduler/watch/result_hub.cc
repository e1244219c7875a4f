#include "scheduler/watch/result_hub.h"

#include <algorithm>
#include <utility>

#include "common/status/error.h"

namespace switchyard::scheduler {

std::shared_ptr<ResultHub::Subscription> ResultHub::Subscribe(std::string tenant,
                                                              std::function<void()> wake) {
  std::shared_ptr<Subscription> subscription(new Subscription(*this, tenant, std::move(wake)));
  MutexLock lock(mutex_);
  tenants_[tenant].watchers.push_back(subscription.get());
  ++watchers_;
  return subscription;
}

void ResultHub::Unsubscribe(Subscription& subscription) {
  MutexLock lock(mutex_);
  const auto tenant = tenants_.find(subscription.tenant_);
  auto& watchers = tenant->second.watchers;
  watchers.erase(std::find(watchers.begin(), watchers.end(), &subscription));
  --watchers_;
  if (watchers.empty()) tenants_.erase(tenant);
}

void ResultHub::Ended(absl::string_view tenant_name, const JobUpdate& row) {
  if (watchers_ == 0) return;
  std::vector<std::function<void()>> wakes;
  {
    MutexLock lock(mutex_);
    const auto found = tenants_.find(std::string(tenant_name));
    if (found == tenants_.end()) return;
    Tenant& tenant = found->second;
    if (tenant.open == nullptr) tenant.open = std::make_shared<Batch>();
    tenant.open->push_back(row);
    tenant.open_bytes += row.record.size() + sizeof row;
    if (tenant.open_bytes >= limits_.batch_bytes) HandOn(tenant, wakes);
  }
  for (const auto& wake : wakes) wake();
}

void ResultHub::Flush() {
  if (watchers_ == 0) return;
  std::vector<std::function<void()>> wakes;
  {
    MutexLock lock(mutex_);
    for (auto& [name, tenant] : tenants_) HandOn(tenant, wakes);
  }
  for (const auto& wake : wakes) wake();
}

void ResultHub::HandOn(Tenant& tenant, std::vector<std::function<void()>>& wakes) {
  if (tenant.open == nullptr) return;
  const std::shared_ptr<const Batch> batch = std::exchange(tenant.open, nullptr);
  const size_t bytes = std::exchange(tenant.open_bytes, 0);
  for (Subscription* watcher : tenant.watchers) {
    if (watcher->Take(batch, bytes)) wakes.push_back(watcher->wake_);
  }
}

void ResultHub::Rebuilt() {
  std::vector<std::function<void()>> wakes;
  {
    MutexLock lock(mutex_);
    for (auto& [name, tenant] : tenants_) {
      for (Subscription* watcher : tenant.watchers) {
        if (watcher->End(
                MakeError(absl::StatusCode::kUnavailable, "RESULTS_MISSED",
                          "results may have been missed; look with ListJobs and watch again"))) {
          wakes.push_back(watcher->wake_);
        }
      }
    }
  }
  for (const auto& wake : wakes) wake();
}

bool ResultHub::Subscription::Take(const std::shared_ptr<const Batch>& batch, size_t bytes) {
  MutexLock lock(mutex_);
  if (!status_.ok()) return false;
  batches_.emplace_back(batch, bytes);
  bytes_ += bytes;
  if (bytes_ > hub_.limits_.buffered_bytes) {
    batches_.clear();
    status_ =
        MakeError(absl::StatusCode::kResourceExhausted, "SLOW_READER",
                  "results came faster than they were read; look with ListJobs and watch again");
  }
  return std::exchange(waits_, false);
}

bool ResultHub::Subscription::End(absl::Status status) {
  MutexLock lock(mutex_);
  if (!status_.ok()) return false;
  status_ = std::move(status);
  return std::exchange(waits_, false);
}

std::shared_ptr<const ResultHub::Batch> ResultHub::Subscription::Next() {
  MutexLock lock(mutex_);
  if (batches_.empty()) {
    waits_ = status_.ok();
    return nullptr;
  }
  auto [batch, bytes] = std::move(batches_.front());
  batches_.pop_front();
  bytes_ -= bytes;
  return batch;
}

absl::Status ResultHub::Subscription::status() const {
  MutexLock lock(mutex_);
  return status_;
}

}  // namespace switchyard::scheduler
