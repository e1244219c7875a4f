#include "worker/runner/process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/log/log.h"

namespace switchyard::worker {

absl::Status DieWithParent(pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  fcntl(kSocketFd, F_SETFD, FD_CLOEXEC);
  // The signal is not sent for a parent that ended before it was asked for.
  if (getppid() != parent)
    return absl::FailedPreconditionError("the daemon that started this runner is gone");
  return absl::OkStatus();
}

void BecomeBackground() {
  if (setpriority(PRIO_PROCESS, 0, 19) != 0)
    LogWarning("cannot lower the priority; training competes with serving");
}

void EndProcess(int exit_code) {
  // Only as its own group's leader: started by hand it would end the shell's job.
  if (exit_code != 0 && getpgrp() == getpid()) kill(0, SIGKILL);
  _exit(exit_code);
}

}  // namespace switchyard::worker
