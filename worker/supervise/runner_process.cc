#include "worker/supervise/runner_process.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"

namespace switchyard::worker {

std::string RunnerExit::ToString() const {
  if (!start_error.ok()) return std::string(start_error.message());
  if (signal != 0)
    return absl::StrCat("was ended by signal ", signal, " (", strsignal(signal), ")");
  return absl::StrCat("ended by itself with exit code ", code);
}

RunnerProcess::RunnerProcess(Spawner& spawner, SpawnRequest request, absl::Duration delay,
                             RunnerCallbacks callbacks)
    : callbacks_(std::move(callbacks)) {
  int fds[2] = {-1, -1};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0) {
    fd_ = fds[0];
    request.socket_fd = fds[1];
  }
  sender_ = std::make_unique<FrameSender>(fd_);
  thread_ = std::thread([this, &spawner, request = std::move(request), delay]() mutable {
    Run(spawner, std::move(request), delay);
  });
}

RunnerProcess::~RunnerProcess() {
  Kill();
  thread_.join();
  sender_.reset();
  if (fd_ >= 0) close(fd_);
}

void RunnerProcess::Close() { shutdown(fd_, SHUT_WR); }

void RunnerProcess::Kill() {
  MutexLock lock(mutex_);
  kill_ = true;
  if (pid_ != 0) kill(-pid_, SIGKILL);
  changed_.SignalAll();
}

bool RunnerProcess::Killed() {
  MutexLock lock(mutex_);
  return kill_;
}

void RunnerProcess::Run(Spawner& spawner, SpawnRequest request, absl::Duration delay) {
  oom_kills_ = OomKills();
  if (absl::Status started = Start(spawner, std::move(request), delay); !started.ok()) {
    callbacks_.exit(RunnerExit{.start_error = started});
    return;
  }
  FrameReader reader(fd_);
  ::switchyard::worker::v1::FromRunner frame;
  while (true) {
    const absl::StatusOr<bool> have = reader.Read(&frame);
    if (!have.ok() || !*have) break;
    callbacks_.frame(frame);
  }
  // Without its socket it is of no use, and what it started must not stay.
  const bool killed = Killed();
  Kill();
  RunnerExit exit = Reap();
  exit.out_of_memory = exit.signal == SIGKILL && !killed && OomKills() > oom_kills_;
  callbacks_.exit(exit);
}

absl::Status RunnerProcess::Start(Spawner& spawner, SpawnRequest request, absl::Duration delay) {
  if (request.socket_fd < 0)
    return absl::ResourceExhaustedError("cannot make a socket pair for a runner");
  {
    MutexLock lock(mutex_);
    if (!kill_ && delay > absl::ZeroDuration())
      changed_.WaitFor(mutex_, absl::ToChronoNanoseconds(delay));
    if (kill_) {
      close(request.socket_fd);
      return absl::CancelledError("the runner was ended before it started");
    }
  }
  std::optional<absl::StatusOr<pid_t>> pid;
  spawner.Spawn(std::move(request), [this, &pid](absl::StatusOr<pid_t> started) {
    MutexLock lock(mutex_);
    pid = std::move(started);
    changed_.SignalAll();
  });
  MutexLock lock(mutex_);
  while (!pid.has_value()) changed_.Wait(mutex_);
  if (!pid->ok()) return pid->status();
  pid_ = **pid;
  if (kill_) kill(-pid_, SIGKILL);
  return absl::OkStatus();
}

RunnerExit RunnerProcess::Reap() {
  pid_t pid;
  {
    MutexLock lock(mutex_);
    pid = pid_;
  }
  siginfo_t info;
  // Waits without reaping, so that Kill cannot meet a number that belongs to somebody else by now.
  while (waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT) != 0 && errno == EINTR) {
  }
  MutexLock lock(mutex_);
  int status = 0;
  waitpid(pid, &status, 0);
  pid_ = 0;
  RunnerExit result;
  if (WIFSIGNALED(status)) {
    result.signal = WTERMSIG(status);
  } else {
    result.code = WEXITSTATUS(status);
  }
  return result;
}

}  // namespace switchyard::worker
