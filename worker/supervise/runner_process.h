// One runner process as the daemon sees it: frames to it, frames from it, its end.
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/sync/mutex.h"
#include "switchyard/worker/v1/runner.pb.h"
#include "worker/framing/frame.h"
#include "worker/supervise/spawner.h"

namespace switchyard::worker {

// How a runner ended. `code` and `signal` as waitpid has them; `start_error` when it never ran.
struct RunnerExit {
  absl::Status start_error;
  int code = 0;    // Exit code, when signal is 0.
  int signal = 0;  // Signal that ended it.
  // The kernel ended it because memory ran out: SIGKILL, not sent by us, while the count of such
  // ends rose. Should another process of the same count have been the one, the next attempt is
  // only given less.
  bool out_of_memory = false;
  // For people: "was ended by signal 9 (Killed)".
  std::string ToString() const;
};

struct RunnerCallbacks {
  // Processes ended so far because memory ran out; none: not known.
  std::function<uint64_t()> oom_kills;
  std::function<void(::switchyard::worker::v1::FromRunner&)> frame;
  // Last call, once, after waitpid returned: nothing of the process is left.
  std::function<void(const RunnerExit&)> exit;
};

// Thread-safe. Callbacks come from a thread of this object, without locks of it held.
class RunnerProcess {
 public:
  // Starts it after `delay`; frames sent before wait in the socket. `spawner` outlives this.
  // `request.socket_fd` is set here.
  RunnerProcess(Spawner& spawner, SpawnRequest request, absl::Duration delay,
                RunnerCallbacks callbacks);
  // Kills it and waits for its end. Not to be called from a callback.
  ~RunnerProcess();

  // Never blocks.
  void Send(const ::switchyard::worker::v1::ToRunner& frame) { sender_->Send(frame); }
  // Closes the socket: the runner ends itself.
  void Close();
  // Kills its whole process group.
  void Kill();

 private:
  void Run(Spawner& spawner, SpawnRequest request, absl::Duration delay);
  uint64_t OomKills() const { return callbacks_.oom_kills ? callbacks_.oom_kills() : 0; }
  absl::Status Start(Spawner& spawner, SpawnRequest request, absl::Duration delay);
  RunnerExit Reap();
  bool Killed();

  const RunnerCallbacks callbacks_;
  int fd_ = -1;  // Our end.
  std::unique_ptr<FrameSender> sender_;
  Mutex mutex_;
  CondVar changed_;
  pid_t pid_ GUARDED_BY(mutex_) = 0;  // 0: not started, or reaped.
  bool kill_ GUARDED_BY(mutex_) = false;
  uint64_t oom_kills_ = 0;  // At its start. Of `thread_`.
  std::thread thread_;
};

}  // namespace switchyard::worker
