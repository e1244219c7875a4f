// SIGTERM and SIGINT as something a main can wait for.
#pragma once

namespace switchyard {

// Blocks SIGTERM and SIGINT for the whole process and ignores SIGPIPE. To be called by main before
// any thread is started. One object a process.
class ShutdownSignal {
 public:
  ShutdownSignal();
  ~ShutdownSignal();
  // Waits for the first SIGTERM or SIGINT; returns its number. A second one during shutdown ends
  // the process at once.
  int Wait();
  // Readable when a signal came; for poll.
  int fd() const { return fd_; }

 private:
  int fd_;
};

}  // namespace switchyard
