// decision_bench [DECISIONS [QUEUED [PER_DRAIN]]]: prints the time of a decision beside 1,000 and
// 1,000,000 queued jobs.
#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <vector>

#include "scheduler/core/bench/decision.h"

namespace {

// Time of this thread on a processor: others' work on the machine is not the core's.
int64_t ThreadNanoseconds() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

int64_t ResidentBytes() {
  long pages = 0;
  std::FILE* file = std::fopen("/proc/self/statm", "r");
  if (file == nullptr) return 0;
  if (std::fscanf(file, "%*s %ld", &pages) != 1) pages = 0;
  std::fclose(file);
  return pages * sysconf(_SC_PAGESIZE);
}

}  // namespace

int main(int argc, char** argv) {
  const uint32_t decisions = argc > 1 ? std::atoi(argv[1]) : 200'000;
  std::vector<uint64_t> depths = {1'000, 1'000'000};
  std::vector<uint32_t> drains = {1, 100};
  if (argc > 2) depths = {std::strtoull(argv[2], nullptr, 10)};
  if (argc > 3) drains = {static_cast<uint32_t>(std::atoi(argv[3]))};
  for (const uint32_t per_drain : drains) {
    for (const uint64_t queued : depths) {
      const auto result =
          switchyard::scheduler::MeasureDecisions({.queued = queued,
                                                   .decisions = decisions,
                                                   .per_drain = per_drain,
                                                   .now_ns = ThreadNanoseconds,
                                                   .resident_bytes = ResidentBytes});
      std::printf(
          "queued %9llu  per drain %3u  %.3f us/decision  %.0f bytes/queued job  placed %llu\n",
          static_cast<unsigned long long>(queued), per_drain, result.decision_us,
          result.bytes_per_queued_job, static_cast<unsigned long long>(result.placed));
    }
  }
}
