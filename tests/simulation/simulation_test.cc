#include "tests/simulation/simulation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "common/log/log.h"

namespace switchyard::simulation {
namespace {

using ::testing::IsEmpty;

constexpr uint64_t kSeeds = 150;
// A planted bug must show within so many seeds.
constexpr uint64_t kSeedsForABug = 1000;

class Simulation : public testing::Test {
 protected:
  // Every fault that is drawn on purpose is logged by the engine as the error it would be.
  static void SetUpTestSuite() { SetupLog("simulation_test", LogLevel::kOff); }

  // Whether `checker` finds the bug, in a seed that is without any complaint when it is not
  // planted.
  static bool Finds(const std::string& checker, const std::function<void(SimulationOptions&)>& bug,
                    const char* profile = "mixed") {
    for (uint64_t seed = 1; seed <= kSeedsForABug; ++seed) {
      SimulationOptions options{.seed = seed, .profile = FindProfile(profile)};
      bug(options);
      if (!Complains(checker, RunSimulation(options))) continue;
      const SimulationResult without =
          RunSimulation({.seed = seed, .profile = FindProfile(profile)});
      EXPECT_THAT(without.violations, IsEmpty()) << "seed " << seed << " without the bug";
      return without.violations.empty();
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

TEST_F(Simulation, KeepsEveryPromiseWhateverFailsAndEverythingHappens) {
  Counters counters;
  uint64_t events = 0;
  uint64_t faults = 0;
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const SimulationResult result = RunSimulation({.seed = seed});
    EXPECT_THAT(result.violations, IsEmpty()) << "seed " << seed;
    events += result.events;
    faults += result.faults;
    for (const auto& [name, count] : result.counters) counters[name] += count;
  }
  EXPECT_GE(events / kSeeds, 2000u);
  EXPECT_GE(faults / kSeeds, 20u);
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
                           "check.array_width_kept",
                           "check.reservation_kept",
                           "check.fair_shares",
                           "gang_members_run",
                           "deletes"}) {
    EXPECT_GT(counters[name], 0u) << name;
  }
  for (const char* name : kFeatureNames) EXPECT_GT(counters[absl::StrCat("site.", name)], 0u);
}

TEST_F(Simulation, TheSameSeedIsTheSameRun) {
  const SimulationResult first = RunSimulation({.seed = 7});
  const SimulationResult second = RunSimulation({.seed = 7});
  EXPECT_EQ(first.trace_hash, second.trace_hash);
  EXPECT_EQ(first.counters, second.counters);
  EXPECT_NE(first.trace_hash, RunSimulation({.seed = 8}).trace_hash);
}

TEST_F(Simulation, FindsAMissingFenceCheck) {
  EXPECT_TRUE(Finds("no_stale_result", [](auto& run) { run.bugs.no_fence_check = true; }));
}

TEST_F(Simulation, FindsAReplyBeforeTheCommit) {
  EXPECT_TRUE(Finds("no_job_lost", [](auto& run) { run.reply_before_commit = true; }));
}

TEST_F(Simulation, FindsALostCancel) {
  EXPECT_TRUE(Finds("cancel_holds", [](auto& run) { run.bugs.lost_cancel = true; }));
}

TEST_F(Simulation, FindsADoubleDispatch) {
  EXPECT_TRUE(Finds("one_attempt_runs", [](auto& run) { run.bugs.double_dispatch = true; }));
}

TEST_F(Simulation, FindsAForgottenLeaseExpiry) {
  EXPECT_TRUE(Finds("every_job_ends", [](auto& run) { run.bugs.forgotten_lease_expiry = true; }));
}

TEST_F(Simulation, FindsALeaseEndedEarly) {
  EXPECT_TRUE(Finds("one_attempt_runs", [](auto& run) { run.bugs.early_lease_expiry = true; }));
}

TEST_F(Simulation, FindsALimitOffByOne) {
  EXPECT_TRUE(Finds("no_device_over_limit", [](auto& run) { run.bugs.limit_off_by_one = true; }));
}

TEST_F(Simulation, FindsALostRetry) {
  EXPECT_TRUE(Finds("every_job_ends", [](auto& run) { run.bugs.lost_retry = true; }));
}

TEST_F(Simulation, FindsAnOrderTurnedUpsideDown) {
  EXPECT_TRUE(Finds("order_kept", [](auto& run) { run.bugs.ignores_priority = true; }));
}

TEST_F(Simulation, FindsAForgottenGrantOfMemory) {
  EXPECT_TRUE(Finds("no_device_out_of_memory", [](auto& run) { run.bugs.grant_forgotten = true; }));
}

TEST_F(Simulation, FindsMemoryPromisedBeforeItIsFree) {
  EXPECT_TRUE(Finds("no_device_out_of_memory", [](auto& run) { run.bugs.freed_too_early = true; }));
}

TEST_F(Simulation, FindsOutOfMemoryTriedForEver) {
  EXPECT_TRUE(Finds("out_of_memory_ends", [](auto& run) { run.bugs.oom_retry_forever = true; }));
}

TEST_F(Simulation, FindsAGangThatIsHandedOutInPart) {
  EXPECT_TRUE(Finds("gangs_all_or_none", [](auto& run) { run.bugs.partial_gang = true; }));
}

TEST_F(Simulation, FindsAPreemptionInTheMinimumRunTime) {
  EXPECT_TRUE(Finds("no_early_preemption", [](auto& run) { run.bugs.preempts_too_early = true; }));
}

TEST_F(Simulation, FindsWorkLetPastAGangThatHasToWaitForIt) {
  EXPECT_TRUE(Finds(
      "reservation_kept", [](auto& run) { run.bugs.backfill_ignores_reservation = true; }, "calm"));
}

TEST_F(Simulation, FindsAttemptsForgottenAtAttach) {
  EXPECT_TRUE(Finds("every_job_ends", [](auto& run) { run.bugs.lost_requeue_on_attach = true; }));
}

TEST_F(Simulation, FindsAJobThatRunsBeforeWhatItDependsOn) {
  EXPECT_TRUE(Finds("dependencies_kept", [](auto& run) { run.bugs.unblocks_too_early = true; }));
}

TEST_F(Simulation, FindsAnArrayThatOverflowsItsWidth) {
  EXPECT_TRUE(Finds("array_width_kept", [](auto& run) { run.bugs.quota_leak = true; }));
}

TEST_F(Simulation, FindsWeightsIgnored) {
  EXPECT_TRUE(Finds(
      "fair_shares", [](auto& run) { run.bugs.weights_ignored = true; }, "tenants"));
}

TEST_F(Simulation, FindsUrgentWorkThatTakesMoreThanItsShare) {
  EXPECT_TRUE(Finds(
      "urgent_share_kept", [](auto& run) { run.no_urgent_share = true; }, "tenants"));
}

TEST_F(Simulation, FindsThatWaitingRaisesNothing) {
  EXPECT_TRUE(Finds(
      "no_starvation", [](auto& run) { run.bugs.no_ageing = true; }, "tenants"));
}

TEST_F(Simulation, FindsAQuotaThatLeaks) {
  EXPECT_TRUE(Finds(
      "quota_held", [](auto& run) { run.bugs.quota_leak = true; }, "tenants"));
}

TEST_F(Simulation, KeepsReservationsWhereNothingElseDelaysAGang) {
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    const SimulationResult result = RunSimulation({.seed = seed, .profile = FindProfile("calm")});
    EXPECT_THAT(result.violations, IsEmpty()) << "seed " << seed;
  }
}

TEST_F(Simulation, TenantsGetTheirSharesAndNothingStarves) {
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    const SimulationResult result =
        RunSimulation({.seed = seed, .profile = FindProfile("tenants")});
    EXPECT_THAT(result.violations, IsEmpty()) << "seed " << seed;
    for (const char* name : {"check.fair_shares", "check.urgent_share_kept", "check.no_starvation",
                             "check.quota_held", "interactive_uses", "fault.worker_crash"}) {
      EXPECT_GT(result.counters.at(name), 0u) << name;
    }
  }
}

}  // namespace
}  // namespace switchyard::simulation
