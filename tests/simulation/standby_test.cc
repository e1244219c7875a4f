// Several schedulers on one store: what must hold while leaders are killed, frozen and cut off, and
// that breaking it is seen.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/log/log.h"
#include "tests/simulation/simulation.h"

namespace switchyard::simulation {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr uint64_t kSeeds = 15;
constexpr uint64_t kSeedsForABug = 200;

class StandbySimulation : public testing::Test {
 protected:
  static void SetUpTestSuite() { SetupLog("simulation_test", LogLevel::kOff); }

  static SimulationOptions Options(uint64_t seed) {
    return {.seed = seed, .profile = FindProfile("standby")};
  }
  // The first violations that `bug` leads to; empty: it was not found.
  static std::string Find(const std::function<void(SimulationOptions&)>& bug) {
    for (uint64_t seed = 1; seed <= kSeedsForABug; ++seed) {
      SimulationOptions options = Options(seed);
      bug(options);
      const SimulationResult result = RunSimulation(options);
      if (!result.violations.empty()) return testing::PrintToString(result.violations);
    }
    return "";
  }
};

TEST_F(StandbySimulation, KeepsEveryPromiseWhoeverLeads) {
  Counters counters;
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const SimulationResult result = RunSimulation(Options(seed));
    EXPECT_THAT(result.violations, IsEmpty()) << "seed " << seed;
    for (const auto& [name, count] : result.counters) counters[name] += count;
  }
  for (const char* name :
       {"fault.scheduler_crash", "fault.scheduler_frozen", "fault.scheduler_frozen_in_commit",
        "fault.scheduler_cut_off", "leader_frozen", "check.one_leader"}) {
    EXPECT_GT(counters[name], 0u) << name;
  }
}

TEST_F(StandbySimulation, TheSameSeedIsTheSameRun) {
  EXPECT_EQ(RunSimulation(Options(3)).trace_hash, RunSimulation(Options(3)).trace_hash);
}

TEST_F(StandbySimulation, FindsALeaderThatActsAfterItsLease) {
  EXPECT_THAT(Find([](auto& options) { options.acts_after_its_lease = true; }),
              HasSubstr("one_leader"));
}

TEST_F(StandbySimulation, FindsAStoreThatTakesADeposedLeadersGrant) {
  EXPECT_THAT(Find([](auto& options) {
                options.acts_after_its_lease = true;
                options.takes_old_commits = true;
                options.believes_old_leaders = true;
              }),
              testing::AnyOf(HasSubstr("one_attempt_runs"), HasSubstr("no_job_lost"),
                             HasSubstr("one_leader")));
}

}  // namespace
}  // namespace switchyard::simulation
