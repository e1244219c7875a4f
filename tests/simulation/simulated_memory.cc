#include "tests/simulation/simulated_memory.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace switchyard::simulation {
namespace {

constexpr int64_t kMillisecond = 1000;
constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kMiB = 1 << 20;
constexpr int64_t kGiB = 1024 * kMiB;
constexpr int64_t kGpuBytes = 24 * kGiB;
constexpr int64_t kHostBytes = 16 * kGiB;
constexpr int64_t kContextBytes = 512 * kMiB;

}  // namespace

SimulatedMemory::SimulatedMemory(World& world, std::string worker,
                                 const std::vector<std::string>& devices, Timer after, Teller tell)
    : world_(world),
      worker_(std::move(worker)),
      after_(std::move(after)),
      tell_(std::move(tell)),
      random_(world.random().Fork()) {
  for (const std::string& name : devices) {
    Device& device = devices_.emplace_back();
    const bool gpu = absl::StartsWith(name, "cuda");
    device.name = name;
    // Two workers of one host share its memory.
    const bool shares = !gpu && (worker_ == "w1" || worker_ == "w2");
    device.memory = shares ? kSharedHost : absl::StrCat(worker_, "/", name);
    device.total_bytes = gpu ? kGpuBytes : kHostBytes;
    device.context_bytes = gpu ? kContextBytes : 0;
  }
}

void SimulatedMemory::Begin() {
  for (Device& device : devices_) {
    device.budget_bytes = device.held_bytes = device.busy_bytes = 0;
    device.sequence = 0;
    HoldServing(device, /*runs=*/true);
  }
  Serve();
}

void SimulatedMemory::Clear() {
  for (Device& device : devices_) {
    device.budget_bytes = device.held_bytes = device.busy_bytes = 0;
    HoldServing(device, /*runs=*/false);
  }
}

// Models come and go.
void SimulatedMemory::Serve() {
  after_(random_.Between(kSecond, 4 * kSecond), [this] { Serve(); });
  for (Device& device : devices_) {
    const int64_t held_bytes = device.held_bytes;
    const int64_t busy_bytes = device.busy_bytes;
    device.busy_bytes = std::min(device.busy_bytes, device.held_bytes);
    if (!world_.faulty()) {
      device.busy_bytes = 0;
    } else if (device.budget_bytes > 0) {
      device.held_bytes = std::max(device.busy_bytes, random_.Between(0, device.budget_bytes));
      device.busy_bytes = random_.Between(0, device.held_bytes);
    }
    // What could not be evicted earlier.
    device.held_bytes =
        std::min(device.held_bytes, std::max(device.budget_bytes, device.busy_bytes));
    HoldServing(device, /*runs=*/true);
    if (device.held_bytes == held_bytes && device.busy_bytes == busy_bytes) continue;
    tell_(StateOf(device));
  }
}

scheduler::ServingState SimulatedMemory::StateOf(const Device& device) {
  return {.device = device.name,
          .sequence = device.sequence,
          .held_bytes = device.held_bytes,
          .busy_bytes = device.busy_bytes,
          .budget_bytes = device.budget_bytes};
}

void SimulatedMemory::Fill(scheduler::WorkerAttached& hello) {
  ++hellos_;
  for (size_t i = 0; i < devices_.size(); ++i) {
    Device& device = devices_[i];
    device.sequence = 0;
    hello.devices[i].memory_total_bytes = device.total_bytes;
    hello.devices[i].runner_context_bytes = device.context_bytes;
    hello.serving.push_back(StateOf(device));
    if (!Shares(device)) continue;
    hello.host_figures.ledger_id = device.memory;
    hello.host_figures.memory_total_bytes = device.total_bytes;
  }
}

void SimulatedMemory::Take(const std::vector<scheduler::ServingBudget>& budgets) {
  for (const scheduler::ServingBudget& budget : budgets) {
    for (size_t i = 0; i < devices_.size(); ++i) {
      if (devices_[i].name != budget.device) continue;
      if (budget.bytes >= devices_[i].budget_bytes) {
        devices_[i].budget_bytes = budget.bytes;
        devices_[i].sequence = budget.sequence;
        tell_(StateOf(devices_[i]));
        continue;
      }
      world_.Fault("serving_budget_shrunk");
      Evict(i, budget);
    }
  }
}

void SimulatedMemory::Evict(size_t index, const scheduler::ServingBudget& budget) {
  const int64_t takes_us = random_.Between(10 * kMillisecond, 2 * kSecond);
  after_(takes_us, [this, index, budget, hello = hellos_] {
    Device& device = devices_[index];
    // One of an earlier stream: what was asked there is over.
    if (hello != hellos_ || budget.sequence < device.sequence) return;
    device.budget_bytes = std::min(device.budget_bytes, budget.bytes);
    device.sequence = budget.sequence;
    device.held_bytes = std::min(device.held_bytes, std::max(budget.bytes, device.busy_bytes));
    HoldServing(device, /*runs=*/true);
    tell_(StateOf(device));
    if (device.held_bytes <= device.budget_bytes) return;
    // The rest when it is no longer at work.
    Evict(index, budget);
  });
}

// --- Attempts ---

uint32_t SimulatedMemory::BatchOf(const JobPlan& plan, uint32_t batch_limit) {
  return batch_limit == 0 ? plan.batch : std::min(plan.batch, batch_limit);
}

int64_t SimulatedMemory::TrueNeed(const JobPlan& plan, uint32_t batch_limit) {
  if (plan.batch == 0) return plan.true_bytes;
  // A quarter is there whatever the batch.
  const int64_t fixed_bytes = plan.true_bytes / 4;
  return fixed_bytes + (plan.true_bytes - fixed_bytes) / plan.batch * BatchOf(plan, batch_limit);
}

std::string SimulatedMemory::HolderOf(const scheduler::AssignAttempt& assignment,
                                      const Device& device) const {
  return absl::StrCat(Describe(assignment.ref), " on ", worker_, "/", device.name);
}

bool SimulatedMemory::Allocate(const scheduler::AssignAttempt& assignment, const JobPlan& plan) {
  const bool training = assignment.job_class == scheduler::JobClass::kTraining;
  const auto& members = assignment.gang.devices;
  const int64_t need_bytes = TrueNeed(plan, assignment.batch_limit);
  // Of what was not granted nothing was promised, so it cannot break a promise.
  const int64_t bytes = std::min(need_bytes, assignment.memory_bytes);
  for (size_t i = 0; i < devices_.size(); ++i) {
    const Device& device = devices_[i];
    const bool ours = device.name == assignment.device ||
                      std::find(members.begin(), members.end(), device.name) != members.end();
    if (!ours) continue;
    held_[assignment.ref].push_back(i);
    Hold(device, HolderOf(assignment, device), bytes + (training ? device.context_bytes : 0));
  }
  return assignment.memory_bytes == 0 || need_bytes <= assignment.memory_bytes;
}

void SimulatedMemory::Free(const scheduler::AssignAttempt& assignment) {
  const auto found = held_.find(assignment.ref);
  if (found == held_.end()) return;
  for (const size_t i : found->second) Hold(devices_[i], HolderOf(assignment, devices_[i]), 0);
  held_.erase(found);
}

void SimulatedMemory::Hold(const Device& device, const std::string& holder, int64_t bytes) {
  world_.Tell(
      [&](Checker& checker) { checker.OnHolds(device.memory, device.total_bytes, holder, bytes); });
}

void SimulatedMemory::HoldServing(const Device& device, bool runs) {
  Hold(device, absl::StrCat("serving of ", worker_, "/", device.name),
       runs ? device.context_bytes + device.held_bytes : 0);
}

}  // namespace switchyard::simulation
