#include "tests/simulation/simulation.h"

#include <memory>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/simulation/simulated_client.h"
#include "tests/simulation/simulated_worker.h"
#include "tests/simulation/tenant_load.h"

namespace switchyard::simulation {
namespace {

constexpr int64_t kSecond = 1'000'000;

// Its device is one that others have too.
constexpr char kMayLeave[] = "w2";
constexpr int64_t kForEver = 1'000'000 * kSecond;

using Workers = std::vector<std::unique_ptr<SimulatedWorker>>;

// At most 1 %: what the scheduler's lease margin is for.
constexpr int kLargestDriftPpm = 10'000;

Workers MakeWorkers(World& world) {
  const auto& devices = world.profile().workers;
  Workers workers;
  for (size_t i = 0; i < devices.size(); ++i) {
    const int drift_ppm =
        static_cast<int>(world.random().Between(-kLargestDriftPpm, kLargestDriftPpm));
    workers.push_back(
        std::make_unique<SimulatedWorker>(world, absl::StrCat("w", i + 1), devices[i], drift_ppm));
    world.After(world.random().Between(0, kSecond),
                [worker = workers.back().get()] { worker->Connect(); });
  }
  return workers;
}

void OneFault(World& world, SimulatedWorker& worker) {
  Random& random = world.random();
  switch (random.Below(11)) {
    case 0:
      // One that never comes back: only its lease's end frees what it held.
      if (worker.name() == kMayLeave && world.profile().tenants.empty() && random.Chance(0.5))
        return worker.Crash(kForEver);
      return worker.Crash(random.Between(kSecond, 50 * kSecond));
    case 1:
      return worker.Hang(random.Between(kSecond, 50 * kSecond));
    case 2:
      if (random.Chance(0.2)) return worker.Drain(random.Between(kSecond, 20 * kSecond));
      return worker.BreakStream();
    case 3:
      return worker.BreakStream();
    case 4:
    case 5:
    case 6:
      return worker.Lie();
    case 7:
      return worker.CrashRunner();
    case 9:
      return worker.BusyHost(random.Between(kSecond, 40 * kSecond));
    case 8:
      return world.StepWallClock(random.Between(-5 * kSecond, 5 * kSecond));
    default:
      if (random.Chance(0.5)) world.CrashScheduler(random.Between(kSecond / 10, 40 * kSecond));
  }
}

// Draws faults until their time is over.
void PlanFaults(World& world, Workers& workers) {
  world.After(world.random().Between(0, world.profile().longest_calm_us), [&world, &workers] {
    if (!world.MayFail()) return;
    OneFault(world, *workers[world.random().Below(workers.size())]);
    PlanFaults(world, workers);
  });
}

void PlanLeaderFaults(World& world) {
  if (world.profile().schedulers == 1) return;
  world.After(world.random().Between(0, 2 * world.profile().longest_calm_us), [&world] {
    if (!world.MayFail()) return;
    world.DisturbAScheduler();
    PlanLeaderFaults(world);
  });
}

void AddCheckers(World& world) {
  world.AddChecker(MakeNoJobLost());
  world.AddChecker(MakeOneAttemptRuns());
  world.AddChecker(MakeNoDeviceOverLimit());
  world.AddChecker(MakeNoStaleResult());
  world.AddChecker(MakeEveryJobEnds());
  world.AddChecker(MakeCancelHolds());
  world.AddChecker(MakeGangsAllOrNone());
  world.AddChecker(MakeNoEarlyPreemption());
  world.AddChecker(MakeExpiredNeverStarts());
  if (world.profile().schedulers > 1) world.AddChecker(MakeOneLeader());
  if (world.profile().calm) world.AddChecker(MakeReservationKept(world.profile().workers));
  world.AddChecker(MakeDependenciesKept());
  world.AddChecker(MakeArrayWidthKept());
  world.AddChecker(MakeNoDeviceOutOfMemory());
  world.AddChecker(MakeOutOfMemoryEnds());
  world.AddChecker(MakeCordonHolds());
  const Profile& profile = world.profile();
  if (profile.tenants.empty()) {
    world.AddChecker(MakeOrderKept());
    return;
  }
  world.AddChecker(MakeFairShares(profile));
  world.AddChecker(MakeUrgentShareKept(profile));
  world.AddChecker(MakeNoStarvation(profile));
  world.AddChecker(MakeQuotaHeld(profile));
}

void Collect(World& world, SimulationResult& result) {
  result.events = world.events();
  result.trace_hash = world.trace_hash();
  result.simulated_us = world.now_us();
  for (const auto& checker : world.checkers()) {
    if (checker->looks() > 0) world.counters()["check." + checker->name()] = checker->looks();
    for (const std::string& violation : checker->violations()) {
      result.violations.push_back(checker->name() + ": " + violation);
    }
  }
  result.counters = world.counters();
  for (const auto& [name, count] : result.counters) {
    if (absl::StartsWith(name, "fault.")) result.faults += count;
  }
}

}  // namespace

SimulationResult RunSimulation(const SimulationOptions& options) {
  World world(options);
  AddCheckers(world);
  SimulatedClient client(world);
  Workers workers = MakeWorkers(world);
  client.Begin();
  TenantLoad load(world);
  load.Begin();
  world.After(world.profile().faults_from_us, [&] { PlanFaults(world, workers); });
  PlanLeaderFaults(world);
  const int64_t end_us = world.profile().fault_time_us + world.profile().quiet_time_us;
  world.Run(end_us, [&] { return !world.faulty() && client.Done() && load.Done(); });
  // So that what was published last arrives everywhere.
  world.Run(world.now_us() + 10 * kSecond, [] { return false; });
  const std::vector<StoredJob> stored = world.Stored();
  world.Tell([&](Checker& checker) { checker.AtEnd(stored); });
  SimulationResult result{.seed = options.seed};
  Collect(world, result);
  return result;
}

}  // namespace switchyard::simulation
