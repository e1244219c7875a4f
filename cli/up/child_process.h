// A program started by exec that does not outlive us.
//
// The child gets its own process group (a Ctrl-C at the terminal is for us alone), no blocked
// signals, no descriptors of ours but standard input (/dev/null) and one pipe for both outputs, and
// a parent-death signal. That signal is tied to the *thread* that starts the child: Start must be
// called from a thread that lives as long as the process (the main thread). Not thread-safe.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace switchyard::cli {

class ChildProcess {
 public:
  // `argv[0]` is the program's path. NOT_FOUND when there is no such program.
  static absl::StatusOr<std::unique_ptr<ChildProcess>> Start(const std::vector<std::string>& argv);
  // Kills and reaps what still runs.
  ~ChildProcess();

  pid_t pid() const { return pid_; }
  // Readable (poll) once the child has ended.
  int pid_fd() const { return pid_fd_; }
  // What it writes; non-blocking.
  int output_fd() const { return output_fd_; }

  void Signal(int number) const;
  // True once it has ended (it is reaped then); does not block.
  bool Ended();
  // "exit code 3", "signal 11 (Segmentation fault)". REQUIRES: Ended().
  std::string EndText() const;
  bool EndedWell() const;  // REQUIRES: Ended(). Exit code 0.

 private:
  ChildProcess(pid_t pid, int pid_fd, int output_fd)
      : pid_(pid), pid_fd_(pid_fd), output_fd_(output_fd) {}

  const pid_t pid_;
  const int pid_fd_;
  const int output_fd_;
  bool reaped_ = false;
  int wait_status_ = 0;
};

}  // namespace switchyard::cli
