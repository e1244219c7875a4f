// How full this worker's host is: what the scheduler keeps new work away by, and whose memory the
// workers of one host share.
//
// In a container with limits "the host" is the container.
#pragma once

#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "switchyard/config/v1/worker.pb.h"
#include "switchyard/v1/fleet_service.pb.h"

namespace switchyard::worker {

// What the files say at one moment.
struct HostReading {
  int64_t memory_total_bytes = 0;
  int64_t memory_used_bytes = 0;  // Without file pages that can be given back.
  uint32_t cores = 1;
  absl::Duration cpu_time;  // Of all cores, since some time in the past.
};

// Asks the system.
HostReading ReadHost();
// Time the processors were not idle, of /proc/stat's first line.
absl::Duration BusyTime(absl::string_view proc_stat);

// Used by one thread.
class HostMeter {
 public:
  // `memory_bytes` is what work may use here (HostFigures.memory_total_bytes). Ceilings are shares,
  // 0 for none.
  HostMeter(std::string ledger_id, int64_t memory_bytes,
            const ::switchyard::config::v1::WorkerConfig& config);

  // The figures as of `reading`; processor use is the mean since the one before. Rounded, memory to
  // 1/128 of all and processors to a tenth of one, so that they change when something changed.
  ::switchyard::v1::HostFigures Take(const HostReading& reading, absl::Duration now);

 private:
  const std::string ledger_id_;
  const int64_t memory_bytes_;
  const double memory_ceiling_;
  const double cpu_ceiling_;
  bool first_ = true;
  absl::Duration last_time_;
  absl::Duration last_cpu_time_;
};

// The same for all workers that share memory: those of one boot of one machine in the same
// outermost cgroup that can be seen.
std::string LedgerId();

}  // namespace switchyard::worker
