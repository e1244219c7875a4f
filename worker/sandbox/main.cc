// switchyard-sandbox: stands between a runner and a program of a job. Started by the runner with
// 0: nothing to read, 1 and 2: the program's output, 3: the control socket, 4: the plan. Two
// processes: this one enters the namespaces and waits; the first in them starts the program and
// stays with it (warden.h). When the first ends, the kernel ends all that are left in an own
// process id namespace.
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include "worker/sandbox/identity.h"
#include "worker/sandbox/program.h"
#include "worker/sandbox/system_error.h"
#include "worker/sandbox/warden.h"

namespace switchyard::sandbox {
namespace {

using ::switchyard::worker::v1::SandboxPlan;
using ::switchyard::worker::v1::SandboxReport;

constexpr int kControlFd = 3;
constexpr int kPlanFd = 4;
constexpr int kBadPlan = 64;  // EX_USAGE.

void Send(const SandboxReport& report) {
  const std::string bytes = report.SerializeAsString();
  [[maybe_unused]] const ssize_t sent = write(kControlFd, bytes.data(), bytes.size());
}

// The control group first: its files are not in the namespaces.
StartFault JoinGroup(const SandboxPlan& plan) {
  if (plan.cgroup().empty() || !Has(plan, SandboxPlan::MEMORY)) return {};
  const std::string file = plan.cgroup() + "/cgroup.procs";
  const int fd = open(file.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return {SandboxPlan::MEMORY, SystemError("open", file)};
  const bool joined = write(fd, "0", 1) == 1;
  const absl::Status status = joined ? absl::OkStatus() : SystemError("write", file);
  close(fd);
  return {SandboxPlan::MEMORY, status};
}

// One after the other, so that a refusal has a name.
StartFault EnterNamespaces(const SandboxPlan& plan) {
  if (Has(plan, SandboxPlan::USER) && plan.uid() == 0) {
    if (absl::Status status = EnterUserNamespace(); !status.ok())
      return {SandboxPlan::USER, status};
  }
  const struct {
    SandboxPlan::Guard guard;
    int flags;
  } namespaces[] = {{SandboxPlan::MOUNTS, CLONE_NEWNS},
                    {SandboxPlan::IPC, CLONE_NEWIPC},
                    {SandboxPlan::NETWORK, CLONE_NEWNET},
                    // With a mount namespace: for a /proc that shows these processes.
                    {SandboxPlan::PROCESSES, CLONE_NEWPID | CLONE_NEWNS}};
  for (const auto& entered : namespaces) {
    if (Has(plan, entered.guard) && unshare(entered.flags) != 0)
      return {entered.guard, SystemError("unshare")};
  }
  return {};
}

void SendFault(const StartFault& fault) {
  SandboxReport report;
  report.set_end(SandboxReport::GUARD_FAILED);
  report.set_guard(fault.guard);
  report.set_message(std::string(fault.status.message()));
  Send(report);
}

int WaitFor(pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int Main() {
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // With the runner.
  signal(SIGPIPE, SIG_IGN);
  SandboxPlan plan;
  if (!plan.ParseFromFileDescriptor(kPlanFd)) return kBadPlan;
  close(kPlanFd);
  StartFault fault = JoinGroup(plan);
  if (fault.status.ok()) fault = EnterNamespaces(plan);
  if (!fault.status.ok()) {
    SendFault(fault);
    return 1;
  }
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // Again: new credentials may forget it.
  const pid_t warden = fork();
  if (warden == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    Send(RunProgram(plan, kControlFd));
    _exit(0);
  }
  for (const int fd : {0, 1, 2, kControlFd}) close(fd);
  return warden < 0 ? 1 : WaitFor(warden);
}

}  // namespace
}  // namespace switchyard::sandbox

int main() { return switchyard::sandbox::Main(); }
