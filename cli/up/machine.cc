#include "cli/up/machine.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace switchyard::cli {
namespace {

// A figure of /proc/meminfo, in bytes.
uint64_t MemoryFigure(const std::string& wanted) {
  std::ifstream in("/proc/meminfo");
  uint64_t kilobytes = 0;
  for (std::string name; in >> name;) {
    if (name == wanted && in >> kilobytes) break;
  }
  return kilobytes * 1024;
}

// The bound of a container (cgroup version 2) on what is free; "max" is none.
uint64_t WithinContainer(uint64_t bytes) {
  std::ifstream limit_file("/sys/fs/cgroup/memory.max");
  uint64_t limit = 0;
  return limit_file >> limit ? std::min(bytes, limit) : bytes;
}

}  // namespace

uint32_t CoresHere() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return static_cast<uint32_t>(std::max(1, CPU_COUNT(&set)));
}

uint64_t MemoryTotalHere() { return WithinContainer(MemoryFigure("MemTotal:")); }

uint64_t MemoryAvailableHere() { return WithinContainer(MemoryFigure("MemAvailable:")); }

uint32_t GpusHere() {
  uint32_t count = 0;
  while (access(absl::StrCat("/dev/nvidia", count).c_str(), F_OK) == 0) ++count;
  return count;
}

std::string ProcessorNameHere() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);) {
    const size_t colon = line.find(": ");
    if (absl::StartsWith(line, "model name") && colon != std::string::npos)
      return line.substr(colon + 2);
  }
  return "";
}

}  // namespace switchyard::cli
