#include "worker/device/cpu.h"

#include <sched.h>

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "worker/device/cgroup.h"

namespace switchyard::worker {
namespace {

// The value of the first line `key : value`.
absl::string_view ValueOf(absl::string_view text, absl::string_view key) {
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(line, absl::MaxSplits(':', 1));
    if (absl::StripAsciiWhitespace(parts.first) == key)
      return absl::StripAsciiWhitespace(parts.second);
  }
  return "";
}

// A line of /proc/meminfo, in bytes; 0 when it is not there.
int64_t Kibibytes(absl::string_view proc_meminfo, absl::string_view key) {
  const std::vector<absl::string_view> parts = absl::StrSplit(ValueOf(proc_meminfo, key), ' ');
  int64_t kibibytes = 0;
  return absl::SimpleAtoi(parts[0], &kibibytes) ? kibibytes * 1024 : 0;
}

uint32_t CoresByAffinity() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return static_cast<uint32_t>(std::max(1, CPU_COUNT(&set)));
}

}  // namespace

std::string ModelName(absl::string_view proc_cpuinfo) {
  const absl::string_view name = ValueOf(proc_cpuinfo, "model name");
  return name.empty() ? "unknown processor" : std::string(name);
}

int64_t AvailableMemory(absl::string_view proc_meminfo) {
  return Kibibytes(proc_meminfo, "MemAvailable");
}

int64_t TotalMemory(absl::string_view proc_meminfo) { return Kibibytes(proc_meminfo, "MemTotal"); }

CpuFacts DiscoverCpu() {
  CpuFacts facts;
  facts.name = ModelName(ReadSmallFile("/proc/cpuinfo"));
  facts.cores = CoresByAffinity();
  facts.memory_bytes = AvailableMemory(ReadSmallFile("/proc/meminfo"));
  if (const uint32_t cores = ReadCgroupCores(); cores != 0) {
    facts.cores = std::min(facts.cores, cores);
  }
  const CgroupMemory cgroup = ReadCgroupMemory();
  if (cgroup.limit_bytes >= 0) {
    facts.memory_bytes =
        std::min(facts.memory_bytes, std::max<int64_t>(0, cgroup.limit_bytes - cgroup.used_bytes));
  }
  return facts;
}

}  // namespace switchyard::worker
