#include "worker/sandbox/processes.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <map>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace switchyard::sandbox {
namespace {

struct Stat {
  pid_t parent = 0;
  uint64_t ticks = 0;
  uint64_t pages = 0;
};

std::string ReadWhole(const std::string& path) {
  std::string text(4096, '\0');
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return "";
  const ssize_t got = read(fd, text.data(), text.size());
  close(fd);
  text.resize(got > 0 ? static_cast<size_t>(got) : 0);
  return text;
}

// /proc/PID/stat. False: the process is gone.
bool ReadStat(pid_t pid, Stat* stat) {
  const std::string text = ReadWhole(absl::StrCat("/proc/", pid, "/stat"));
  // The name may hold anything, parentheses too.
  const size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) return false;
  uint64_t user = 0, system = 0;
  int64_t child_user = 0, child_system = 0, pages = 0;
  const int read = std::sscanf(text.c_str() + name_end + 1,
                               " %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %" SCNu64 " %" SCNu64
                               " %" SCNd64 " %" SCNd64 " %*d %*d %*d %*d %*u %*u %" SCNd64,
                               &stat->parent, &user, &system, &child_user, &child_system, &pages);
  stat->ticks = user + system + static_cast<uint64_t>(child_user + child_system);
  stat->pages = static_cast<uint64_t>(pages);
  return read == 6;
}

std::map<pid_t, Stat> ReadAll() {
  std::map<pid_t, Stat> all;
  DIR* const folder = opendir("/proc");
  if (folder == nullptr) return all;
  while (const dirent* entry = readdir(folder)) {
    pid_t pid = 0;
    Stat stat;
    if (absl::SimpleAtoi(entry->d_name, &pid) && ReadStat(pid, &stat)) all[pid] = stat;
  }
  closedir(folder);
  return all;
}

bool DescendsFrom(const std::map<pid_t, Stat>& all, pid_t pid, pid_t ancestor) {
  for (int steps = 0; steps < 10'000; ++steps) {
    const auto found = all.find(pid);
    if (found == all.end()) return false;
    pid = found->second.parent;
    if (pid == ancestor) return true;
  }
  return false;
}

// A process that ends between two reads leaves its share to those read after it, so five that end
// in the order of the reading seem to hold 1/5 + 1/4 + ... + 1 = 2.3 times what they share. Memory
// that is really held is held at every look.
constexpr int kProportionalLooks = 3;

uint64_t BytesOf(const Stat& stat) {
  static const uint64_t page_bytes = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  return stat.pages * page_bytes;
}

// "Pss:  1234 kB"; all its pages where that may not be read. An ended process has none.
uint64_t ProportionalBytesOf(pid_t pid) {
  const std::string text = ReadWhole(absl::StrCat("/proc/", pid, "/smaps_rollup"));
  const size_t line = text.find("\nPss:");
  if (line != std::string::npos) return std::strtoull(text.c_str() + line + 5, nullptr, 10) * 1024;
  Stat stat;
  return ReadStat(pid, &stat) ? BytesOf(stat) : 0;
}

}  // namespace

std::vector<pid_t> Processes::List() const {
  const std::map<pid_t, Stat> all = ReadAll();
  std::vector<pid_t> ours;
  for (const auto& [pid, stat] : all) {
    if (pid == getpid()) continue;
    if (own_namespace_ || DescendsFrom(all, pid, getpid())) ours.push_back(pid);
  }
  return ours;
}

Usage Processes::Measure() const {
  static const uint64_t ticks_a_second = static_cast<uint64_t>(sysconf(_SC_CLK_TCK));
  const std::map<pid_t, Stat> all = ReadAll();
  Usage usage;
  for (const auto& [pid, stat] : all) {
    if (pid == getpid() || (!own_namespace_ && !DescendsFrom(all, pid, getpid()))) continue;
    usage.cpu_ms += stat.ticks * 1000 / ticks_a_second;
    usage.resident_bytes += BytesOf(stat);
  }
  return usage;
}

uint64_t Processes::ProportionalBytes() const {
  uint64_t least = std::numeric_limits<uint64_t>::max();
  for (int look = 0; look < kProportionalLooks; ++look) {
    uint64_t bytes = 0;
    for (const pid_t pid : List()) bytes += ProportionalBytesOf(pid);
    least = std::min(least, bytes);
  }
  return least;
}

void Processes::Signal(int signal) const {
  if (own_namespace_) {
    kill(-1, signal);
    return;
  }
  for (const pid_t pid : List()) kill(pid, signal);
}

}  // namespace switchyard::sandbox
