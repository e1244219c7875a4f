// simulate SEEDS [--first-seed N] [--profile NAME]: runs that many seeds; prints failures with
// their seed, seeds a second, and how often each fault and each checker fired. Exit status 1 when a
// checker found something.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "common/log/log.h"
#include "tests/simulation/simulation.h"

namespace {

using switchyard::simulation::Counters;
using switchyard::simulation::FindProfile;
using switchyard::simulation::Profile;
using switchyard::simulation::RunSimulation;
using switchyard::simulation::SimulationResult;

// False when a checker found something.
bool Print(const SimulationResult& result) {
  for (const std::string& violation : result.violations) {
    std::printf("seed %llu: %s\n", static_cast<unsigned long long>(result.seed), violation.c_str());
  }
  return result.violations.empty();
}

void PrintCounters(const Counters& counters) {
  for (const auto& [name, count] : counters) {
    std::printf("  %-44s %llu\n", name.c_str(), static_cast<unsigned long long>(count));
  }
}

int NoSuchProfile(const char* name) {
  std::fprintf(stderr, "simulate: there is no profile `%s`; there are:", name);
  for (const Profile& profile : switchyard::simulation::AllProfiles()) {
    std::fprintf(stderr, " %s", profile.name.c_str());
  }
  std::fprintf(stderr, "\n");
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  uint64_t seeds = 100;
  uint64_t first = 1;
  const Profile* profile = nullptr;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--first-seed") == 0 && i + 1 < argc) {
      first = std::strtoull(argv[++i], nullptr, 10);
    } else if (std::strcmp(argv[i], "--profile") == 0 && i + 1 < argc) {
      profile = FindProfile(argv[++i]);
      if (profile == nullptr) return NoSuchProfile(argv[i]);
    } else {
      seeds = std::strtoull(argv[i], nullptr, 10);
    }
  }
  switchyard::SetupLog("simulate", switchyard::LogLevel::kOff);
  const auto begin = std::chrono::steady_clock::now();
  uint64_t failed = 0;
  uint64_t events = 0;
  uint64_t faults = 0;
  Counters counters;
  for (uint64_t seed = first; seed < first + seeds; ++seed) {
    const SimulationResult result = RunSimulation({.seed = seed, .profile = profile});
    failed += !Print(result);
    if (seeds == 1)
      std::printf("trace %016llx\n", static_cast<unsigned long long>(result.trace_hash));
    events += result.events;
    faults += result.faults;
    for (const auto& [name, count] : result.counters) counters[name] += count;
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  PrintCounters(counters);
  std::printf("%llu seeds, %llu failed, %.1f seeds/s, %llu events and %llu faults a seed\n",
              static_cast<unsigned long long>(seeds), static_cast<unsigned long long>(failed),
              static_cast<double>(seeds) / took.count(),
              static_cast<unsigned long long>(events / std::max<uint64_t>(seeds, 1)),
              static_cast<unsigned long long>(faults / std::max<uint64_t>(seeds, 1)));
  return failed == 0 ? 0 : 1;
}
