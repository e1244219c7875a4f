// A `switchyard up` of the demo's own, as a child process.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace switchyard::cli {

// Owned by one thread. Stopped (SIGTERM, then waited for) when it goes; ended with the demo's
// process in any case.
class UpProcess {
 public:
  // `arguments` follow `switchyard up`. What it prints goes to our standard output.
  static absl::StatusOr<std::unique_ptr<UpProcess>> Start(
      const std::string& program_folder, const std::vector<std::string>& arguments);
  ~UpProcess();

  struct Doors {
    std::string http;  // HOST:PORT.
    std::string grpc;
  };
  // Its doors, once GET /readyz is 200 and a device is offered. `address_file` is the one its
  // gateway writes. UNAVAILABLE when `up` ended or the time is over.
  absl::StatusOr<Doors> WaitReady(const std::string& address_file, absl::Duration timeout);
  // Waits until it ends; its exit status.
  int Wait();

 private:
  explicit UpProcess(pid_t pid) : pid_(pid) {}
  bool HasEnded();

  pid_t pid_;
  int status_ = 0;
};

}  // namespace switchyard::cli
