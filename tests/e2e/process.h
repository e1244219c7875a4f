// A real child process under test: started, signalled, waited for, never left behind.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace switchyard::e2e {

// Owned by one thread. The child gets SIGKILL when this object or the whole test process goes.
class Process {
 public:
  // Standard output and error go to `log_file` (appended).
  Process(const std::vector<std::string>& command, const std::string& log_file);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const { return pid_; }
  void Signal(int number) const;
  // Exit status as of waitpid, or -1 when it has not ended after `seconds` (it then goes on).
  int Wait(double seconds);
  // SIGKILL, and waits until it is gone.
  void Kill();

 private:
  pid_t pid_ = -1;
};

// Processes whose parent is `parent`, from /proc.
std::vector<pid_t> ChildrenOf(pid_t parent);

}  // namespace switchyard::e2e
