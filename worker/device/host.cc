#include "worker/device/host.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "worker/device/cgroup.h"
#include "worker/device/cpu.h"

namespace switchyard::worker {
namespace {

constexpr int64_t kMemorySteps = 128;
constexpr int64_t kMillicoreStep = 100;

int64_t Rounded(int64_t value, int64_t step) {
  return step <= 0 ? value : (value + step / 2) / step * step;
}

}  // namespace

HostReading ReadHost() {
  HostReading reading;
  const std::string meminfo = ReadSmallFile("/proc/meminfo");
  reading.memory_total_bytes = TotalMemory(meminfo);
  reading.memory_used_bytes = reading.memory_total_bytes - AvailableMemory(meminfo);
  const CgroupMemory cgroup = ReadCgroupMemory();
  if (cgroup.limit_bytes >= 0 && cgroup.limit_bytes < reading.memory_total_bytes) {
    reading.memory_total_bytes = cgroup.limit_bytes;
    reading.memory_used_bytes = cgroup.used_bytes;
  }
  const int64_t usage = KeyedNumber(ReadSmallFile(CgroupFolder() + "/cpu.stat"), "usage_usec");
  const uint32_t cgroup_cores = ReadCgroupCores();
  if (cgroup_cores != 0 && usage >= 0) {
    reading.cores = cgroup_cores;
    reading.cpu_time = absl::Microseconds(usage);
  } else {
    reading.cores = static_cast<uint32_t>(std::max(1L, sysconf(_SC_NPROCESSORS_ONLN)));
    reading.cpu_time = BusyTime(ReadSmallFile("/proc/stat"));
  }
  return reading;
}

absl::Duration BusyTime(absl::string_view proc_stat) {
  const absl::string_view line = proc_stat.substr(0, proc_stat.find('\n'));
  const std::vector<absl::string_view> fields = absl::StrSplit(line, ' ', absl::SkipEmpty());
  // cpu user nice system idle iowait irq softirq steal guest guest_nice; guests are in user and
  // nice already.
  constexpr size_t kIdle = 4, kWait = 5, kLast = 8;
  int64_t ticks = 0;
  for (size_t i = 1; i < fields.size() && i <= kLast; ++i) {
    int64_t value = 0;
    if (i != kIdle && i != kWait && absl::SimpleAtoi(fields[i], &value)) ticks += value;
  }
  return absl::Seconds(static_cast<double>(ticks) / static_cast<double>(sysconf(_SC_CLK_TCK)));
}

HostMeter::HostMeter(std::string ledger_id, int64_t memory_bytes,
                     const ::switchyard::config::v1::WorkerConfig& config)
    : ledger_id_(std::move(ledger_id)),
      memory_bytes_(memory_bytes),
      memory_ceiling_(config.host_memory_ceiling()),
      cpu_ceiling_(config.host_cpu_ceiling()) {}

::switchyard::v1::HostFigures HostMeter::Take(const HostReading& reading, absl::Duration now) {
  ::switchyard::v1::HostFigures figures;
  figures.set_ledger_id(ledger_id_);
  figures.set_memory_total_bytes(memory_bytes_);
  figures.set_memory_used_bytes(
      Rounded(reading.memory_used_bytes, reading.memory_total_bytes / kMemorySteps));
  figures.set_memory_ceiling_bytes(std::llround(memory_ceiling_ * reading.memory_total_bytes));
  figures.set_cpu_ceiling_millicores(std::llround(cpu_ceiling_ * reading.cores * 1000));
  if (!first_ && now > last_time_) {
    const double used = absl::FDivDuration(reading.cpu_time - last_cpu_time_, now - last_time_);
    figures.set_cpu_used_millicores(
        Rounded(std::llround(std::max(0.0, used) * 1000), kMillicoreStep));
  }
  first_ = false;
  last_time_ = now;
  last_cpu_time_ = reading.cpu_time;
  return figures;
}

std::string LedgerId() {
  const std::string boot = ReadSmallFile("/proc/sys/kernel/random/boot_id");
  struct stat root {};
  if (stat("/sys/fs/cgroup", &root) != 0) root.st_ino = 0;
  return absl::StrCat(absl::StripAsciiWhitespace(boot), "-", root.st_ino);
}

}  // namespace switchyard::worker
