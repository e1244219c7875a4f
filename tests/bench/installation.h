// The real binaries as separate processes on free loopback ports, in a folder of their own. One
// configuration for all rows of a run.
//
// Used by one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "tests/e2e/process.h"

namespace switchyard::bench {

class Installation {
 public:
  // `binaries`: folder of switchyard-scheduler and the others. `directory` is made, and removed at
  // the end.
  // `scheduler_config` is added to the scheduler's.
  Installation(std::string binaries, std::string directory, std::string scheduler_config = "");
  ~Installation();

  // Each waits until it serves (30 s at most) and tells how long that took from exec.
  absl::Status StartScheduler();
  absl::Status StartGateway();
  absl::Status StartWorker();
  // SIGTERM in the order worker, gateway, scheduler; the data stays.
  void Stop();

  const std::string& scheduler() const { return scheduler_address_; }  // HOST:PORT
  const std::string& gateway() const { return gateway_address_; }      // Its gRPC door.
  absl::Duration scheduler_start() const { return scheduler_start_; }
  absl::Duration gateway_start() const { return gateway_start_; }
  absl::Duration worker_start() const { return worker_start_; }
  // Resident memory of the scheduler now.
  int64_t SchedulerResidentBytes() const;

 private:
  std::string WriteConfig(const std::string& name, const std::string& text) const;
  std::unique_ptr<e2e::Process> Launch(const std::string& name, const std::string& config) const;
  absl::Status WaitFor(e2e::Process& process, const std::string& name,
                       const std::string& file) const;
  absl::Status WaitForWorker() const;

  const std::string binaries_;
  const std::string directory_;
  const std::string scheduler_config_;
  std::string scheduler_address_, worker_address_, gateway_address_;
  absl::Duration scheduler_start_, gateway_start_, worker_start_;
  std::unique_ptr<e2e::Process> scheduler_process_, gateway_process_, worker_process_;
};

// VmRSS of a process, bytes; 0 when it is gone.
int64_t ResidentBytes(int pid);

}  // namespace switchyard::bench
