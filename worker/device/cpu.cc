#include "worker/device/cpu.h"

#include <sched.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"

namespace switchyard::worker {
namespace {

std::string ReadFile(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

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

uint32_t CoresByAffinity() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return static_cast<uint32_t>(std::max(1, CPU_COUNT(&set)));
}

// Folder of this process's cgroup v2; the root when it cannot be told (in a container the root is
// the container's own).
std::string CgroupFolder() {
  for (const absl::string_view line : absl::StrSplit(ReadFile("/proc/self/cgroup"), '\n')) {
    if (line.substr(0, 3) != "0::") continue;
    const std::string folder = "/sys/fs/cgroup" + std::string(line.substr(3));
    if (!ReadFile(folder + "/cgroup.controllers").empty()) return folder;
  }
  return "/sys/fs/cgroup";
}

}  // namespace

std::string ModelName(absl::string_view proc_cpuinfo) {
  const absl::string_view name = ValueOf(proc_cpuinfo, "model name");
  return name.empty() ? "unknown processor" : std::string(name);
}

int64_t AvailableMemory(absl::string_view proc_meminfo) {
  const std::vector<absl::string_view> parts =
      absl::StrSplit(ValueOf(proc_meminfo, "MemAvailable"), ' ');
  int64_t kibibytes = 0;
  return absl::SimpleAtoi(parts[0], &kibibytes) ? kibibytes * 1024 : 0;
}

int64_t CgroupMemoryLimit(absl::string_view text) {
  // Version 1 writes "no limit" as a number close to the largest one.
  constexpr int64_t kNoLimit = int64_t{1} << 60;
  int64_t bytes = 0;
  if (!absl::SimpleAtoi(absl::StripAsciiWhitespace(text), &bytes) || bytes >= kNoLimit) return -1;
  return bytes;
}

uint32_t CgroupCores(absl::string_view cpu_max) {
  const std::vector<absl::string_view> parts =
      absl::StrSplit(absl::StripAsciiWhitespace(cpu_max), ' ');
  int64_t quota = 0, period = 0;
  if (parts.size() != 2 || !absl::SimpleAtoi(parts[0], &quota) ||
      !absl::SimpleAtoi(parts[1], &period) || period <= 0) {
    return 0;
  }
  return static_cast<uint32_t>(std::max<int64_t>(1, quota / period));
}

CpuFacts DiscoverCpu() {
  CpuFacts facts;
  facts.name = ModelName(ReadFile("/proc/cpuinfo"));
  facts.cores = CoresByAffinity();
  facts.memory_bytes = AvailableMemory(ReadFile("/proc/meminfo"));
  const std::string cgroup = CgroupFolder();
  if (const uint32_t cores = CgroupCores(ReadFile(cgroup + "/cpu.max")); cores != 0) {
    facts.cores = std::min(facts.cores, cores);
  }
  int64_t limit = CgroupMemoryLimit(ReadFile(cgroup + "/memory.max"));
  int64_t used = CgroupMemoryLimit(ReadFile(cgroup + "/memory.current"));
  if (limit < 0) {
    limit = CgroupMemoryLimit(ReadFile("/sys/fs/cgroup/memory/memory.limit_in_bytes"));
    used = CgroupMemoryLimit(ReadFile("/sys/fs/cgroup/memory/memory.usage_in_bytes"));
  }
  if (limit >= 0) {
    facts.memory_bytes =
        std::min(facts.memory_bytes, std::max<int64_t>(0, limit - std::max<int64_t>(0, used)));
  }
  return facts;
}

}  // namespace switchyard::worker
