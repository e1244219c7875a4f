// Keeps the processes of one machine running: writes down what they say, starts a crashed one again
// after a pause that doubles (100 ms to 10 s, back to 100 ms once it ran for 30 s), and stops them
// in order.
//
// One thread, the main one (see ChildProcess).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "cli/up/child_process.h"
#include "cli/up/log_file.h"

namespace switchyard::cli {

struct Service {
  std::string name;  // "worker cpu-0".
  std::vector<std::string> argv;
  std::string log;              // File.
  int stop_stage = 0;           // Lower ones are stopped, and have ended, first.
  absl::Duration stop_timeout;  // Then it is killed.
};

class Supervisor {
 public:
  // `stop_fd` is readable once the user asked to stop. `notice` is told what a user should know, a
  // sentence each.
  Supervisor(int stop_fd, std::function<void(const std::string&)> notice);

  absl::Status Start(Service service);

  // Serves until `done` (asked at least every `interval`) says so. Errors: CANCELLED when asked to
  // stop; DEADLINE_EXCEEDED; and, with `restart` off, FAILED_PRECONDITION with the log's last lines
  // when a process ended.
  absl::Status RunUntil(const std::function<bool()>& done, absl::Duration timeout,
                        absl::Duration interval, bool restart);

  // Stops all, stage by stage. Blocks until they are gone.
  void Stop();

 private:
  struct Running {
    Service service;
    LogFile log;
    std::unique_ptr<ChildProcess> child;  // Null while it waits to be started again.
    absl::Time started;
    absl::Time start_again = absl::InfiniteFuture();
    absl::Duration pause;
  };

  // Waits at most `timeout`; copies output, reaps. True when asked to stop.
  bool Serve(absl::Duration timeout);
  void CopyOutput(Running& running);
  void HandleEnded(Running& running);
  void StartDue();
  absl::Duration UntilNextStart() const;
  void StopStage(int stage);
  bool Alive(int stage) const;

  const int stop_fd_;
  const std::function<void(const std::string&)> notice_;
  std::vector<std::unique_ptr<Running>> running_;
  bool restart_ = false;
  absl::Status ended_;  // What ended while `restart_` was off.
};

}  // namespace switchyard::cli
