// One scheduler's process: the real engine and, where a site has several, the real LeaderKeeper,
// each reaching the one store over a line that can be cut. It crashes; it is frozen, between two
// steps or in the middle of a commit, and wakes late.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "scheduler/engine/engine.h"
#include "scheduler/lead/leader_keeper.h"
#include "scheduler/store/memory_lease_store.h"
#include "scheduler/store/memory_store.h"
#include "tests/simulation/random.h"

namespace switchyard::simulation {

class World;

class SimulatedScheduler final : public scheduler::EngineOutput {
 public:
  // `leases` null: it is alone on the store. All are borrowed.
  SimulatedScheduler(World& world, size_t index, scheduler::EngineOptions options,
                     scheduler::JobStore& store, scheduler::LeaseStore* leases);
  ~SimulatedScheduler() override;

  void Start();
  // False: it is down already, or cannot be taken down now.
  bool Crash();
  // Nothing of it runs for a while; what arrives waits.
  void Freeze(int64_t for_us);
  void CutOff(int64_t for_us);

  void Arrive(scheduler::Input input);
  void PlanDrain(int64_t delay_us);

  size_t index() const { return index_; }
  bool up() const { return engine_ != nullptr; }
  const scheduler::Engine* engine() const { return engine_.get(); }
  // By its own clock, at this moment.
  bool Leads() const;
  // When the drain in progress began: what it decided by, but for a slow store.
  int64_t drain_wall_us() const { return drain_wall_us_; }

  // EngineOutput
  void Send(uint64_t epoch, scheduler::SessionOutput output) override;
  void Publish(absl::Span<const scheduler::JobNotice> notices) override;
  void Rebuilt(uint64_t epoch) override;

 private:
  class Line;
  class LeaseLine;

  void DrainNow();
  void StepKeeper(uint64_t process);
  bool frozen() const;
  // In the middle of a commit: the rest of the world goes on.
  void FreezeInCommit();

  World& world_;
  const size_t index_;
  const scheduler::EngineOptions options_;
  scheduler::LeaseStore* const leases_;
  const std::unique_ptr<Line> line_;
  const std::unique_ptr<LeaseLine> lease_line_;
  std::unique_ptr<scheduler::LeaderKeeper> keeper_;
  std::unique_ptr<scheduler::JobStore> led_store_;
  std::unique_ptr<scheduler::Engine> engine_;
  std::deque<scheduler::Input> inbox_;
  int64_t drain_at_us_ = scheduler::kNever;
  int64_t drain_wall_us_ = 0;
  int64_t frozen_until_us_ = 0;
  int64_t cut_until_us_ = 0;
  bool in_commit_ = false;
  uint64_t process_ = 0;  // Counts starts.
};

}  // namespace switchyard::simulation
