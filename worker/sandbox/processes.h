// The processes a program left in this sandbox: what they use, and their end. Read from /proc.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <vector>

namespace switchyard::sandbox {

struct Usage {
  uint64_t cpu_ms = 0;          // Of those that live, and of their children they waited for.
  uint64_t resident_bytes = 0;  // Shared pages once for each process.
};

// Not thread-safe. For the process that starts the program: the first of an own id namespace, or
// else the subreaper of what it starts.
class Processes {
 public:
  // `own_namespace`: everything but this process is the program's.
  explicit Processes(bool own_namespace) : own_namespace_(own_namespace) {}

  std::vector<pid_t> List() const;
  Usage Measure() const;
  // Shared pages shared out among those who share them; the least of a few looks. Each costs a walk
  // over the page tables.
  uint64_t ProportionalBytes() const;
  // Sends `signal` to all. With SIGKILL in an own namespace nothing can slip through; else a
  // process that forks while we look may be missed, so repeat until List is empty.
  void Signal(int signal) const;

 private:
  const bool own_namespace_;
};

}  // namespace switchyard::sandbox
