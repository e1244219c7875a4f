// The shape of a simulated site: its workers, how much is asked of them, and how long faults last.
// A run is a profile and a seed.
//
// Why: most promises are best tested on a small site where everything collides, and most seeds draw
// one of their own (site.h); some promises (fair shares, a fleet of thousands) need a site that is
// made for them. Values; thread-compatible.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "scheduler/core/settings.h"
#include "tests/simulation/feature.h"

namespace switchyard::simulation {

// One tenant of a profile that saturates its site (tenant_load.h).
struct TenantProfile {
  scheduler::TenantSettings settings;
  uint8_t priority = 5;
  uint64_t backlog = 8;  // Jobs it keeps waiting...
  int64_t every_us = 0;  // ... unless this is set: then it submits one about so often.
  bool fair = false;     // Its share is to be that of its weight.
  // Of the time of each worker's device, what its requests that are no jobs use.
  int interactive_percent = 0;
};

struct Profile {
  std::string name;
  // Devices of each worker; workers are named w1, w2, ...
  std::vector<std::vector<std::string>> workers;
  int submits = 90;                      // Calls that submit, spread over the time of faults.
  int largest_batch = 12;                // Most jobs of one of them.
  int64_t fault_time_us = 300'000'000;   // Faults happen so long...
  int64_t quiet_time_us = 3600'000'000;  // ... and so long after that every job must have ended.
  int64_t longest_calm_us = 8'000'000;   // Between two faults, at most.
  std::vector<TenantProfile> tenants;    // Empty: the clients' own, which come and go.
  bool faults = true;                    // False: nothing fails.
  // If set, faults happen from then until then only; what is measured over a long run is so outside
  // of that time.
  int64_t faults_from_us = 0;
  int64_t faults_until_us = 0;
  // As CoreConfig's.
  int64_t ageing_interval_us = 300'000'000;
  int64_t idle_credit_us = 600'000'000;
  int64_t share_half_life_us = 86'400'000'000;
  // As CoreConfig's. 100 where order_kept is to hold to the letter.
  uint32_t urgent_share_percent = 100;
  Features features;
  uint32_t largest_gang = 2;  // Devices of it.
  // Run times are always the same, and one tenant submits work of one priority: without faults it
  // can then be told exactly how long things should wait.
  bool calm = false;
  bool drawn = false;  // Everything else is drawn from the seed (site.h).
  // On one store; with more than one, one leads, and they are frozen and cut off from it.
  int schedulers = 1;
  // Every so many seeds a run without a named profile takes this one; 0: only when named.
  uint64_t seeds_for_one = 0;
};

// How much of a span no faults disturb: of the profile's own time for them, and kSettleUs after it,
// nothing.
inline constexpr int64_t kSettleUs = 300'000'000;
int64_t UndisturbedUs(const Profile& profile, int64_t from_us, int64_t until_us);

// `mixed` first, which most seeds take.
absl::Span<const Profile> AllProfiles();
// Null when there is none of that name.
const Profile* FindProfile(absl::string_view name);
// What a run that names no profile takes.
const Profile& ProfileForSeed(uint64_t seed);

}  // namespace switchyard::simulation
