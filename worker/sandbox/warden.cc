#include "worker/sandbox/warden.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "worker/sandbox/file_system.h"
#include "worker/sandbox/network.h"
#include "worker/sandbox/processes.h"
#include "worker/sandbox/program.h"
#include "worker/sandbox/system_error.h"

namespace switchyard::sandbox {
namespace {

using ::switchyard::worker::v1::SandboxPlan;
using ::switchyard::worker::v1::SandboxReport;

constexpr int kLookMilliseconds = 50;  // Twenty times a second, as the documentation says.

uint64_t MillisecondsOf(const timeval& time) {
  return static_cast<uint64_t>(time.tv_sec) * 1000 + static_cast<uint64_t>(time.tv_usec) / 1000;
}

// Of the children that were waited for, and of theirs.
uint64_t EndedCpuMilliseconds() {
  rusage usage = {};
  getrusage(RUSAGE_CHILDREN, &usage);
  return MillisecondsOf(usage.ru_utime) + MillisecondsOf(usage.ru_stime);
}

class Warden {
 public:
  Warden(const SandboxPlan& plan, int control_fd)
      : plan_(plan), processes_(Has(plan, SandboxPlan::PROCESSES)), control_fd_(control_fd) {}

  SandboxReport Run() {
    if (!Prepare()) return report_;
    BlockChildSignal();
    const StartFault fault = StartProgram(plan_, &program_);
    if (!fault.status.ok()) {
      Fail(fault.guard, fault.status);
      return report_;
    }
    report_.set_end(SandboxReport::ENDED);
    while (!ended_) Step();
    EndRest();
    report_.set_cpu_ms(EndedCpuMilliseconds());
    return report_;
  }

 private:
  bool Try(SandboxPlan::Guard guard, const absl::Status& status) {
    if (!status.ok()) Fail(guard, status);
    return status.ok();
  }

  void Fail(SandboxPlan::Guard guard, const absl::Status& status) {
    report_.set_end(guard == SandboxPlan::GUARD_UNSPECIFIED ? SandboxReport::START_FAILED
                                                            : SandboxReport::GUARD_FAILED);
    report_.set_guard(guard);
    report_.set_message(std::string(status.message()));
  }

  bool Prepare() {
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    const bool own_processes = Has(plan_, SandboxPlan::PROCESSES);
    const bool own_files = Has(plan_, SandboxPlan::MOUNTS);
    if (own_files) {
      if (!Try(SandboxPlan::MOUNTS, KeepMountsHere()) ||
          !Try(SandboxPlan::MOUNTS, EnterOwnFileSystem(plan_, own_processes)))
        return false;
    } else if (own_processes) {
      if (!Try(SandboxPlan::PROCESSES, KeepMountsHere()) ||
          !Try(SandboxPlan::PROCESSES, MountProcesses()))
        return false;
    }
    return !Has(plan_, SandboxPlan::NETWORK) || Try(SandboxPlan::NETWORK, RaiseLoopback());
  }

  void BlockChildSignal() {
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, nullptr);
    child_fd_ = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
  }

  void Step() {
    pollfd polled[] = {{control_fd_, POLLIN, 0}, {child_fd_, POLLIN, 0}};
    poll(polled, 2, kLookMilliseconds);
    if (polled[0].revents != 0) Obey();
    if (polled[1].revents != 0) {
      signalfd_siginfo info;
      while (read(child_fd_, &info, sizeof info) > 0) {
      }
    }
    Reap();
    if (!ended_) Watch();
  }

  void Obey() {
    char order = kKillAll;
    const ssize_t got = read(control_fd_, &order, 1);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) return;
    // A closed socket: the runner is gone.
    if (got <= 0) control_fd_ = -1;
    processes_.Signal(got > 0 && order == kTerminateAll ? SIGTERM : SIGKILL);
  }

  void Reap() {
    int status = 0;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
      if (pid != program_) continue;
      ended_ = true;
      if (WIFSIGNALED(status)) {
        report_.set_signal(WTERMSIG(status));
      } else {
        report_.set_exit_code(WEXITSTATUS(status));
      }
    }
  }

  void Watch() {
    const Usage usage = processes_.Measure();
    uint64_t bytes = usage.resident_bytes;
    const bool limited = Has(plan_, SandboxPlan::MEMORY) && plan_.memory_bytes() != 0;
    if (limited && bytes > plan_.memory_bytes()) {
      // Processes that were forked share pages; what they share counts once.
      bytes = std::min(bytes, processes_.ProportionalBytes());
    }
    report_.set_peak_memory_bytes(std::max(report_.peak_memory_bytes(), bytes));
    if (limited && bytes > plan_.memory_bytes()) return EndFor(SandboxReport::OUT_OF_MEMORY);
    if (plan_.cpu_ms() != 0 && usage.cpu_ms + EndedCpuMilliseconds() > plan_.cpu_ms())
      EndFor(SandboxReport::OUT_OF_CPU_TIME);
  }

  void EndFor(SandboxReport::End why) {
    if (report_.end() == SandboxReport::ENDED) report_.set_end(why);
    processes_.Signal(SIGKILL);
  }

  // Nothing outlives the attempt: daemons the program started get no time of their own.
  void EndRest() {
    while (true) {
      processes_.Signal(SIGKILL);
      pid_t pid;
      while ((pid = waitpid(-1, nullptr, WNOHANG)) > 0) {
      }
      if (pid < 0 && errno == ECHILD) return;
      pollfd child{child_fd_, POLLIN, 0};
      poll(&child, 1, 10);
      signalfd_siginfo info;
      while (read(child_fd_, &info, sizeof info) > 0) {
      }
    }
  }

  const SandboxPlan& plan_;
  const Processes processes_;
  int control_fd_;
  int child_fd_ = -1;
  pid_t program_ = 0;
  bool ended_ = false;
  SandboxReport report_;
};

}  // namespace

SandboxReport RunProgram(const SandboxPlan& plan, int control_fd) {
  return Warden(plan, control_fd).Run();
}

}  // namespace switchyard::sandbox
