#include "scheduler/engine/live_view.h"

#include <algorithm>
#include <utility>

namespace switchyard::scheduler {

std::shared_ptr<const JobImage> LiveView::Find(JobId job) const {
  const Shard& shard = ShardOf(job);
  MutexLock lock(shard.mutex);
  const auto found = shard.jobs.find(job);
  return found == shard.jobs.end() ? nullptr : found->second;
}

std::vector<std::shared_ptr<const JobImage>> LiveView::Jobs(absl::string_view tenant) const {
  std::vector<std::shared_ptr<const JobImage>> jobs;
  for (const Shard& shard : shards_) {
    MutexLock lock(shard.mutex);
    for (const auto& [id, image] : shard.jobs) {
      if (image->tenant == tenant) jobs.push_back(image);
    }
  }
  std::sort(jobs.begin(), jobs.end(), [](const auto& a, const auto& b) { return a->id > b->id; });
  return jobs;
}

std::shared_ptr<const FleetSnapshot> LiveView::fleet() const {
  MutexLock lock(fleet_mutex_);
  return fleet_;
}

void LiveView::Put(std::shared_ptr<const JobImage> image) {
  Shard& shard = ShardOf(image->id);
  MutexLock lock(shard.mutex);
  shard.jobs[image->id] = std::move(image);
}

void LiveView::Erase(JobId job) {
  Shard& shard = ShardOf(job);
  MutexLock lock(shard.mutex);
  shard.jobs.erase(job);
}

void LiveView::Clear() {
  for (Shard& shard : shards_) {
    MutexLock lock(shard.mutex);
    shard.jobs.clear();
  }
}

std::shared_ptr<const AccountsView> LiveView::accounts() const {
  MutexLock lock(fleet_mutex_);
  return accounts_;
}

void LiveView::SetAccounts(std::shared_ptr<const AccountsView> accounts) {
  MutexLock lock(fleet_mutex_);
  accounts_ = std::move(accounts);
}

void LiveView::SetFleet(std::shared_ptr<const FleetSnapshot> fleet) {
  MutexLock lock(fleet_mutex_);
  fleet_ = std::move(fleet);
}

}  // namespace switchyard::scheduler
