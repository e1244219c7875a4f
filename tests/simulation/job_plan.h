// What a simulated job will do when it runs: drawn when it is submitted, carried in its labels,
// found again by whoever runs it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "scheduler/core/event.h"
#include "tests/simulation/feature.h"
#include "tests/simulation/random.h"

namespace switchyard::simulation {

inline constexpr uint16_t kNoop = 32;  // Job.KindCase.
inline constexpr uint16_t kTrain = 33;

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

// What a token says beside the number of the job: what sort it is of, and the seed, so that each
// seed has jobs of its own.
enum class JobSort : uint8_t {
  kAny,     // As the features of the site allow.
  kCalm,    // Takes as long as all of its kind; nothing fails.
  kSteady,  // Only runs: training, 1 to 9 s. For runs that saturate the site.
};
// REQUIRES: number < 2^24.
uint64_t MakeToken(JobSort sort, Features features, uint64_t seed, uint64_t number);

JobPlan PlanJob(uint64_t token);

// What a simulated client submits, and finds again in what it submitted.
std::string SpecOf(const JobPlan& plan);
uint64_t TokenIn(const std::string& spec);

}  // namespace switchyard::simulation
