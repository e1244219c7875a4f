// Memory of a simulated worker's devices as it truly is: what attempts allocate, up to the limit
// they were granted, and what the serving runner of each device holds. The checkers are told every
// change.
//
// Serving runners load and drop models as they like below their budget; asked for less they take
// their time to evict, cannot evict what is at work, and answer when they are done.
// Not thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "scheduler/core/event.h"
#include "tests/simulation/checker.h"
#include "tests/simulation/job_plan.h"
#include "tests/simulation/world.h"

namespace switchyard::simulation {

class SimulatedMemory {
 public:
  using Timer = std::function<void(int64_t delay_us, std::function<void()> what)>;
  using Teller = std::function<void(const scheduler::ServingState&)>;

  // `after` runs things while the worker lives; `tell` sends a changed state to the scheduler.
  SimulatedMemory(World& world, std::string worker, const std::vector<std::string>& devices,
                  Timer after, Teller tell);

  // A new incarnation of the worker: nothing is held.
  void Begin();
  // Everything is let go: the worker is gone, or its lease is over.
  void Clear();

  // What a hello says of memory. Budgets are numbered anew from here.
  void Fill(scheduler::WorkerAttached& hello);
  // Budgets from the scheduler; each is answered once it is obeyed.
  void Take(const std::vector<scheduler::ServingBudget>& budgets);

  // An attempt allocates, and lets go. False: it runs out of what it was granted.
  bool Allocate(const scheduler::AssignAttempt& assignment, const JobPlan& plan);
  void Free(const scheduler::AssignAttempt& assignment);

  // What the plan's work holds at most with the batch it may use, and that batch.
  static int64_t TrueNeed(const JobPlan& plan, uint32_t batch_limit);
  static uint32_t BatchOf(const JobPlan& plan, uint32_t batch_limit);

 private:
  struct Device {
    std::string name;
    std::string memory;  // Names what it draws on, for the checkers.
    int64_t total_bytes = 0;
    int64_t context_bytes = 0;
    int64_t budget_bytes = 0;
    int64_t held_bytes = 0;
    int64_t busy_bytes = 0;
    uint64_t sequence = 0;
  };
  bool Shares(const Device& device) const { return device.memory == kSharedHost; }
  void Serve();
  void Hold(const Device& device, const std::string& holder, int64_t bytes);
  std::string HolderOf(const scheduler::AssignAttempt& assignment, const Device& device) const;
  void HoldServing(const Device& device, bool runs);
  void Evict(size_t device, const scheduler::ServingBudget& budget);
  static scheduler::ServingState StateOf(const Device& device);

  static constexpr char kSharedHost[] = "host-1";
  World& world_;
  const std::string worker_;
  Timer after_;
  Teller tell_;
  Random random_;
  uint64_t hellos_ = 0;
  std::vector<Device> devices_;
  std::map<AttemptRef, std::vector<size_t>> held_;  // Attempts, and the devices they hold.
};

}  // namespace switchyard::simulation
