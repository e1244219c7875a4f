// What memory knows and the store does not: jobs whose state is ahead of their row (started,
// progress), and a snapshot of fleet and queue. Written by the engine after each commit, read by
// RPC threads without touching the engine.
//
// A reader of one job asks the live view first: an image there is the whole present state but for
// the spec; nothing there means the row in the store is it.
//
// Thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "common/sync/mutex.h"
#include "scheduler/core/fleet.h"
#include "scheduler/core/image.h"

namespace switchyard::scheduler {

struct FleetSnapshot {
  uint64_t epoch = 0;
  uint64_t queue_capacity = 0;
  std::vector<WorkerView> workers;  // Ordered by id.
  QueueView queue;
  std::vector<LimitRule> limits;
};

class LiveView {
 public:
  // Null: the row in the store is the present state.
  std::shared_ptr<const JobImage> Find(JobId job) const;
  // Every job of `tenant` here (all of them are running), by id, newest first.
  std::vector<std::shared_ptr<const JobImage>> Jobs(absl::string_view tenant) const;
  // Never null. At most EngineOptions::snapshot_interval old, or as old as the last event.
  std::shared_ptr<const FleetSnapshot> fleet() const;

  // Never null. As fleet(); a change an operator made is in it before that call is answered.
  std::shared_ptr<const AccountsView> accounts() const;

  // --- the engine's side ---
  void Put(std::shared_ptr<const JobImage> image);
  void Erase(JobId job);
  void Clear();
  void SetFleet(std::shared_ptr<const FleetSnapshot> fleet);
  void SetAccounts(std::shared_ptr<const AccountsView> accounts);

 private:
  static constexpr int kShards = 16;
  struct Shard {
    mutable Mutex mutex;
    absl::flat_hash_map<JobId, std::shared_ptr<const JobImage>> jobs GUARDED_BY(mutex);
  };
  // Ids count up in their low bits.
  Shard& ShardOf(JobId job) { return shards_[job % kShards]; }
  const Shard& ShardOf(JobId job) const { return shards_[job % kShards]; }

  std::array<Shard, kShards> shards_;
  mutable Mutex fleet_mutex_;
  std::shared_ptr<const FleetSnapshot> fleet_ GUARDED_BY(fleet_mutex_) =
      std::make_shared<FleetSnapshot>();
  std::shared_ptr<const AccountsView> accounts_ GUARDED_BY(fleet_mutex_) =
      std::make_shared<AccountsView>();
};

}  // namespace switchyard::scheduler
