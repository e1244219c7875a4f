#include "worker/device/cgroup.h"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"

namespace switchyard::worker {
namespace {

constexpr char kVersion1[] = "/sys/fs/cgroup/memory";

int64_t WithoutFilePages(int64_t used_bytes, absl::string_view statistics, absl::string_view key) {
  return std::max<int64_t>(0, used_bytes - std::max<int64_t>(0, KeyedNumber(statistics, key)));
}

}  // namespace

std::string ReadSmallFile(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string CgroupFolder() {
  const std::string own = ReadSmallFile("/proc/self/cgroup");
  for (const absl::string_view line : absl::StrSplit(own, '\n')) {
    if (line.substr(0, 3) != "0::") continue;
    const std::string folder = "/sys/fs/cgroup" + std::string(line.substr(3));
    if (!ReadSmallFile(folder + "/cgroup.controllers").empty()) return folder;
  }
  return "/sys/fs/cgroup";
}

CgroupMemory ReadCgroupMemory() {
  CgroupMemory memory;
  const std::string folder = CgroupFolder();
  memory.limit_bytes = CgroupMemoryLimit(ReadSmallFile(folder + "/memory.max"));
  if (memory.limit_bytes >= 0) {
    memory.used_bytes =
        WithoutFilePages(CgroupMemoryLimit(ReadSmallFile(folder + "/memory.current")),
                         ReadSmallFile(folder + "/memory.stat"), "inactive_file");
    return memory;
  }
  const std::string old = kVersion1;
  memory.limit_bytes = CgroupMemoryLimit(ReadSmallFile(old + "/memory.limit_in_bytes"));
  if (memory.limit_bytes >= 0) {
    memory.used_bytes =
        WithoutFilePages(CgroupMemoryLimit(ReadSmallFile(old + "/memory.usage_in_bytes")),
                         ReadSmallFile(old + "/memory.stat"), "total_inactive_file");
  }
  return memory;
}

uint32_t ReadCgroupCores() { return CgroupCores(ReadSmallFile(CgroupFolder() + "/cpu.max")); }

uint64_t CountOomKills() {
  int64_t kills = KeyedNumber(ReadSmallFile(CgroupFolder() + "/memory.events"), "oom_kill");
  if (kills < 0) {
    kills = KeyedNumber(ReadSmallFile(std::string(kVersion1) + "/memory.oom_control"), "oom_kill");
  }
  if (kills < 0) kills = KeyedNumber(ReadSmallFile("/proc/vmstat"), "oom_kill");
  return static_cast<uint64_t>(std::max<int64_t>(0, kills));
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

int64_t KeyedNumber(absl::string_view text, absl::string_view key) {
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(line, absl::MaxSplits(' ', 1));
    int64_t number = 0;
    if (parts.first == key && absl::SimpleAtoi(absl::StripAsciiWhitespace(parts.second), &number))
      return number;
  }
  return -1;
}

}  // namespace switchyard::worker
