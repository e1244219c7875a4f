// simulate SEEDS [--first-seed N] [--profile NAME] [--threads N]: runs that many seeds on all
// cores; prints failures with their seed as they come, how many seeds had each feature, how often
// each fault and each checker fired, and seeds a second. Exit status 1 when a checker found
// something.
//
// A seed is a run of its own, whatever runs beside it: `simulate 1 --first-seed N` repeats it.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "common/log/log.h"
#include "common/sync/mutex.h"
#include "tests/simulation/simulation.h"

namespace {

using switchyard::Mutex;
using switchyard::MutexLock;
using switchyard::simulation::Counters;
using switchyard::simulation::FindProfile;
using switchyard::simulation::Profile;
using switchyard::simulation::RunSimulation;
using switchyard::simulation::SimulationResult;

struct Arguments {
  uint64_t seeds = 100;
  uint64_t first = 1;
  const Profile* profile = nullptr;
  unsigned threads = std::max(1u, std::thread::hardware_concurrency());
};

unsigned long long Printed(uint64_t number) { return number; }

// What all seeds came to. Thread-safe.
class Totals {
 public:
  void Add(const SimulationResult& result) {
    MutexLock lock(mutex_);
    for (const std::string& violation : result.violations) {
      std::printf("seed %llu: %s\n", Printed(result.seed), violation.c_str());
    }
    if (!result.violations.empty()) std::fflush(stdout);
    failed_ += !result.violations.empty();
    events_ += result.events;
    faults_ += result.faults;
    trace_hash_ ^= result.trace_hash;
    for (const auto& [name, count] : result.counters) counters_[name] += count;
  }

  // True when nothing was found.
  bool Print(uint64_t seeds, double seconds) {
    MutexLock lock(mutex_);
    for (const auto& [name, count] : counters_) {
      std::printf("  %-44s %llu\n", name.c_str(), Printed(count));
    }
    // Alike for the same seeds, whatever the threads.
    std::printf("trace %016llx\n", Printed(trace_hash_));
    std::printf(
        "%llu seeds, %llu failed, %.0f s, %.1f seeds/s, %llu events (%llu a seed), %llu faults "
        "(%llu a seed)\n",
        Printed(seeds), Printed(failed_), seconds, static_cast<double>(seeds) / seconds,
        Printed(events_), Printed(events_ / std::max<uint64_t>(seeds, 1)), Printed(faults_),
        Printed(faults_ / std::max<uint64_t>(seeds, 1)));
    return failed_ == 0;
  }

 private:
  Mutex mutex_;
  uint64_t failed_ GUARDED_BY(mutex_) = 0;
  uint64_t events_ GUARDED_BY(mutex_) = 0;
  uint64_t faults_ GUARDED_BY(mutex_) = 0;
  uint64_t trace_hash_ GUARDED_BY(mutex_) = 0;
  Counters counters_ GUARDED_BY(mutex_);
};

int NoSuchProfile(const char* name) {
  std::fprintf(stderr, "simulate: there is no profile `%s`; there are:", name);
  for (const Profile& profile : switchyard::simulation::AllProfiles()) {
    std::fprintf(stderr, " %s", profile.name.c_str());
  }
  std::fprintf(stderr, "\n");
  return 2;
}

void RunSeeds(const Arguments& arguments, std::atomic<uint64_t>& next, Totals& totals) {
  for (uint64_t i = next++; i < arguments.seeds; i = next++) {
    totals.Add(RunSimulation({.seed = arguments.first + i, .profile = arguments.profile}));
  }
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i < argc; ++i) {
    const bool more = i + 1 < argc;
    if (std::strcmp(argv[i], "--first-seed") == 0 && more) {
      arguments.first = std::strtoull(argv[++i], nullptr, 10);
    } else if (std::strcmp(argv[i], "--threads") == 0 && more) {
      arguments.threads = static_cast<unsigned>(std::strtoul(argv[++i], nullptr, 10));
    } else if (std::strcmp(argv[i], "--profile") == 0 && more) {
      arguments.profile = FindProfile(argv[++i]);
      if (arguments.profile == nullptr) return NoSuchProfile(argv[i]);
    } else {
      arguments.seeds = std::strtoull(argv[i], nullptr, 10);
    }
  }
  switchyard::SetupLog("simulate", switchyard::LogLevel::kOff);
  const auto begin = std::chrono::steady_clock::now();
  Totals totals;
  std::atomic<uint64_t> next = 0;
  std::vector<std::thread> others;
  for (unsigned i = 1; i < arguments.threads; ++i) {
    others.emplace_back([&] { RunSeeds(arguments, next, totals); });
  }
  RunSeeds(arguments, next, totals);
  for (std::thread& other : others) other.join();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  return totals.Print(arguments.seeds, took.count()) ? 0 : 1;
}
