// What a simulated job will do when it runs: drawn when it is submitted, carried in its labels,
// found again by whoever runs it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "scheduler/core/event.h"
#include "tests/simulation/random.h"

namespace switchyard::simulation {

inline constexpr uint16_t kNoop = 32;  // Job.KindCase.
inline constexpr uint16_t kTrain = 33;

// Tokens from here on are jobs that only run: training, 1 to 9 s. For runs that saturate the site.
inline constexpr uint64_t kSteadyTokens = uint64_t{1} << 50;
inline constexpr int64_t kLongestSteadyUs = 9'000'000;

struct JobPlan {
  std::string tenant;  // Set by who submits it; empty: not told.
  uint64_t token = 0;  // Unique in a run; what the plan is drawn from.
  uint16_t kind = kNoop;
  int64_t run_us = 0;
  bool fails = false;  // Each attempt fails, retryably.
  bool fails_for_good = false;
  uint32_t crashes = 0;           // So many attempts end their runner.
  bool gang = false;              // Its devices are counted by the client.
  bool stuck = false;             // It never ends by itself and shows no progress.
  int64_t true_bytes = 0;         // Of memory that it will hold, with `batch`.
  uint32_t batch = 0;             // 0: it has none.
  bool has_deadline = false;      // expire_time or timeout may end it.
  scheduler::NewJob job;          // As submitted; times are added by the client.
  std::vector<JobId> depends_on;  // Known once it is accepted.
};

// A token of a calm site begins so: such jobs take as long as all of their kind, and nothing fails.
inline constexpr uint64_t kCalmTokens = uint64_t{1} << 40;

// A token of a crowded site begins so: its jobs have needs of memory, form gangs, get stuck.
inline constexpr uint64_t kCrowdedTokens = uint64_t{1} << 39;

JobPlan PlanJob(uint64_t token);

}  // namespace switchyard::simulation
