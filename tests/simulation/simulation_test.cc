#include "tests/simulation/simulation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/log/log.h"

namespace switchyard::simulation {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr uint64_t kSeeds = 60;
// A planted bug must show within so many seeds.
constexpr uint64_t kSeedsForABug = 20;
constexpr uint64_t kSeedsForABugInACrowd = 300;

class Simulation : public testing::Test {
 protected:
  // Every fault that is drawn on purpose is logged by the engine as the error it would be.
  static void SetUpTestSuite() { SetupLog("simulation_test", LogLevel::kOff); }

  // The first violations that `bug` leads to; empty: it was not found.
  static std::string Find(const std::function<void(SimulationOptions&)>& bug) {
    for (uint64_t seed = 1; seed <= kSeedsForABug; ++seed) {
      SimulationOptions options{.seed = seed};
      bug(options);
      const SimulationResult result = RunSimulation(options);
      if (!result.violations.empty()) return testing::PrintToString(result.violations);
    }
    return "";
  }

  // Whether `bug` makes `checker` complain on the crowded site where it does not without it.
  static bool FindsInACrowd(const std::string& checker,
                            const std::function<void(SimulationOptions&)>& bug) {
    for (uint64_t seed = 1; seed <= kSeedsForABugInACrowd; ++seed) {
      SimulationOptions options{.seed = seed, .profile = FindProfile("crowded")};
      const bool before = Complains(checker, RunSimulation(options));
      bug(options);
      if (!before && Complains(checker, RunSimulation(options))) return true;
    }
    return false;
  }

  static bool Complains(const std::string& checker, const SimulationResult& result) {
    for (const std::string& violation : result.violations) {
      if (violation.compare(0, checker.size() + 1, checker + ":") == 0) return true;
    }
    return false;
  }
};

TEST_F(Simulation, KeepsEveryPromiseWhateverFails) {
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const SimulationResult result = RunSimulation({.seed = seed});
    EXPECT_THAT(result.violations, IsEmpty()) << "seed " << seed;
    EXPECT_GE(result.events, 2000u) << "seed " << seed;
    EXPECT_GE(result.faults, 20u) << "seed " << seed;
  }
}

TEST_F(Simulation, EveryKindOfFaultAndEveryCheckerFires) {
  Counters counters;
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    for (const char* profile : {"mixed", "crowded"}) {
      const SimulationResult result =
          RunSimulation({.seed = seed, .profile = FindProfile(profile)});
      for (const auto& [name, count] : result.counters) counters[name] += count;
    }
  }
  for (const char* name : {"fault.worker_crash",
                           "fault.worker_leaves_for_good",
                           "fault.worker_drain",
                           "fault.worker_hang",
                           "fault.runner_crash",
                           "fault.lie_forged_fence",
                           "fault.lie_outdated_fence",
                           "fault.repeated_report",
                           "fault.stream_break",
                           "fault.slow_message",
                           "fault.scheduler_crash",
                           "fault.store_write_fails",
                           "fault.store_read_fails",
                           "fault.store_commits_and_reports_failure",
                           "fault.store_slow",
                           "fault.wall_clock_step",
                           "fault.clock_drift",
                           "check.no_job_lost",
                           "check.one_attempt_runs",
                           "check.no_device_over_limit",
                           "check.no_stale_result",
                           "check.order_kept",
                           "check.every_job_ends",
                           "check.cancel_holds",
                           "check.dependencies_kept",
                           "check.no_device_out_of_memory",
                           "check.out_of_memory_ends",
                           "check.cordon_holds",
                           "fault.host_busy",
                           "fault.serving_budget_shrunk",
                           "out_of_memory",
                           "cordons",
                           "worker_drains",
                           "messages_lost",
                           "reports_repeated",
                           "leases_run_out",
                           "recalls_answered",
                           "rebuilds",
                           "retries",
                           "check.gangs_all_or_none",
                           "check.no_early_preemption",
                           "check.expired_never_starts",
                           "preempted",
                           "gang_members_run",
                           "deletes"}) {
    EXPECT_GT(counters[name], 0u) << name;
  }
}

TEST_F(Simulation, TheSameSeedIsTheSameRun) {
  const SimulationResult first = RunSimulation({.seed = 7});
  const SimulationResult second = RunSimulation({.seed = 7});
  EXPECT_EQ(first.trace_hash, second.trace_hash);
  EXPECT_EQ(first.counters, second.counters);
  EXPECT_NE(first.trace_hash, RunSimulation({.seed = 8}).trace_hash);
}

TEST_F(Simulation, FindsAMissingFenceCheck) {
  EXPECT_THAT(Find([](auto& options) { options.bugs.no_fence_check = true; }),
              HasSubstr("no_stale_result"));
}

TEST_F(Simulation, FindsAReplyBeforeTheCommit) {
  EXPECT_THAT(Find([](auto& options) { options.reply_before_commit = true; }),
              HasSubstr("no_job_lost"));
}

TEST_F(Simulation, FindsALostCancel) {
  EXPECT_THAT(Find([](auto& options) { options.bugs.lost_cancel = true; }),
              HasSubstr("cancel_holds"));
}

TEST_F(Simulation, FindsADoubleDispatch) {
  EXPECT_THAT(Find([](auto& options) { options.bugs.double_dispatch = true; }),
              HasSubstr("one_attempt_runs"));
}

TEST_F(Simulation, FindsAForgottenLeaseExpiry) {
  EXPECT_THAT(Find([](auto& options) { options.bugs.forgotten_lease_expiry = true; }),
              HasSubstr("every_job_ends"));
}

TEST_F(Simulation, FindsALeaseEndedEarly) {
  EXPECT_THAT(Find([](auto& options) { options.bugs.early_lease_expiry = true; }),
              HasSubstr("one_attempt_runs"));
}

TEST_F(Simulation, FindsALimitOffByOne) {
  EXPECT_THAT(Find([](auto& options) { options.bugs.limit_off_by_one = true; }),
              HasSubstr("no_device_over_limit"));
}

TEST_F(Simulation, FindsALostRetry) {
  EXPECT_THAT(Find([](auto& options) { options.bugs.lost_retry = true; }),
              HasSubstr("every_job_ends"));
}

TEST_F(Simulation, FindsAnOrderTurnedUpsideDown) {
  EXPECT_THAT(Find([](auto& options) { options.bugs.ignores_priority = true; }),
              HasSubstr("order_kept"));
}

TEST_F(Simulation, FindsAForgottenGrantOfMemory) {
  EXPECT_TRUE(FindsInACrowd("no_device_out_of_memory",
                            [](auto& options) { options.bugs.grant_forgotten = true; }));
}

TEST_F(Simulation, FindsMemoryPromisedBeforeItIsFree) {
  EXPECT_TRUE(FindsInACrowd("no_device_out_of_memory",
                            [](auto& options) { options.bugs.freed_too_early = true; }));
}

TEST_F(Simulation, FindsOutOfMemoryTriedForEver) {
  EXPECT_TRUE(FindsInACrowd("out_of_memory_ends",
                            [](auto& options) { options.bugs.oom_retry_forever = true; }));
}

TEST_F(Simulation, FindsAGangThatIsHandedOutInPart) {
  EXPECT_TRUE(
      FindsInACrowd("gangs_all_or_none", [](auto& options) { options.bugs.partial_gang = true; }));
}

TEST_F(Simulation, FindsAPreemptionInTheMinimumRunTime) {
  EXPECT_TRUE(FindsInACrowd("no_early_preemption",
                            [](auto& options) { options.bugs.preempts_too_early = true; }));
}

TEST_F(Simulation, FindsWorkLetPastAGangThatHasToWaitForIt) {
  EXPECT_THAT(Find([](auto& options) {
                options.bugs.backfill_ignores_reservation = true;
                options.profile = FindProfile("calm");
              }),
              HasSubstr("reservation_kept"));
}

TEST_F(Simulation, FindsAttemptsForgottenAtAttach) {
  EXPECT_THAT(Find([](auto& options) { options.bugs.lost_requeue_on_attach = true; }),
              HasSubstr("every_job_ends"));
}

TEST_F(Simulation, FindsAJobThatRunsBeforeWhatItDependsOn) {
  EXPECT_TRUE(FindsInACrowd("dependencies_kept",
                            [](auto& options) { options.bugs.unblocks_too_early = true; }));
}

TEST_F(Simulation, TenantsGetTheirSharesAndNothingStarves) {
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    const SimulationResult result =
        RunSimulation({.seed = seed, .profile = FindProfile("tenants")});
    EXPECT_THAT(result.violations, IsEmpty()) << "seed " << seed;
    for (const char* name : {"check.fair_shares", "check.no_starvation", "check.quota_held"}) {
      EXPECT_GT(result.counters.at(name), 0u) << name;
    }
  }
}

TEST_F(Simulation, FindsWeightsIgnored) {
  EXPECT_THAT(Find([](auto& options) {
                options.bugs.weights_ignored = true;
                options.profile = FindProfile("tenants");
              }),
              HasSubstr("fair_shares"));
}

TEST_F(Simulation, FindsThatWaitingRaisesNothing) {
  EXPECT_THAT(Find([](auto& options) {
                options.bugs.no_ageing = true;
                options.profile = FindProfile("tenants");
              }),
              HasSubstr("no_starvation"));
}

TEST_F(Simulation, FindsAQuotaThatLeaks) {
  EXPECT_THAT(Find([](auto& options) {
                options.bugs.quota_leak = true;
                options.profile = FindProfile("tenants");
              }),
              HasSubstr("quota_held"));
}

}  // namespace
}  // namespace switchyard::simulation
