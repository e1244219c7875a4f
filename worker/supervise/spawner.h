// Starts runner processes, all from one thread that lives as long as the daemon: the kernel sends a
// runner its parent-death signal when the *thread* that started it ends.
#pragma once

#include <sys/types.h>

#include <deque>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/sync/mutex.h"

namespace switchyard::worker {

struct SpawnRequest {
  std::string path;
  std::vector<std::string> arguments;    // Without the program's name.
  std::vector<std::string> environment;  // `NAME=VALUE`, replacing or added to the daemon's own.
  int socket_fd = -1;                    // Becomes descriptor 3. Closed here once the process runs.
  int lock_fd = -1;                      // Becomes descriptor 4; stays the caller's. -1: none.
};

// Thread-safe.
class Spawner {
 public:
  Spawner();
  // Processes started go on; requests not begun are answered CANCELLED.
  ~Spawner();
  // By posix_spawn (exec, never a bare fork): a process group of its own, default signals, no
  // descriptors but 0 to 4. `done` is called from the spawner's thread.
  void Spawn(SpawnRequest request, std::function<void(absl::StatusOr<pid_t>)> done);

 private:
  struct Item {
    SpawnRequest request;
    std::function<void(absl::StatusOr<pid_t>)> done;
  };
  void Run();

  Mutex mutex_;
  CondVar changed_;
  std::deque<Item> items_ GUARDED_BY(mutex_);
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace switchyard::worker
