#include "worker/sandbox/program.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "worker/sandbox/file_system.h"
#include "worker/sandbox/identity.h"
#include "worker/sandbox/landlock.h"
#include "worker/sandbox/seccomp_filter.h"
#include "worker/sandbox/system_error.h"

namespace switchyard::sandbox {
namespace {

using ::switchyard::worker::v1::SandboxPlan;

std::vector<char*> Pointers(const google::protobuf::RepeatedPtrField<std::string>& strings) {
  std::vector<char*> pointers;
  for (const std::string& text : strings) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

// The soft and hard limit, never above the hard one there is.
absl::Status Limit(__rlimit_resource resource, uint64_t most, const char* name) {
  rlimit limit = {};
  if (getrlimit(resource, &limit) != 0) return SystemError("getrlimit", name);
  limit.rlim_max = std::min<rlim_t>(limit.rlim_max, most);
  limit.rlim_cur = limit.rlim_max;
  return setrlimit(resource, &limit) == 0 ? absl::OkStatus() : SystemError("setrlimit", name);
}

absl::Status SetLimits(const SandboxPlan& plan) {
  absl::Status status = Limit(RLIMIT_CORE, 0, "core");
  if (plan.open_files() != 0) status.Update(Limit(RLIMIT_NOFILE, plan.open_files(), "nofile"));
  if (plan.file_bytes() != 0) status.Update(Limit(RLIMIT_FSIZE, plan.file_bytes(), "fsize"));
  if (plan.processes() != 0) status.Update(Limit(RLIMIT_NPROC, plan.processes(), "nproc"));
  // Of one process: a second bound under the one that counts them all.
  if (plan.cpu_ms() != 0) status.Update(Limit(RLIMIT_CPU, plan.cpu_ms() / 1000 + 2, "cpu"));
  return status;
}

// What one process may have before the sandbox looks again. Above the limit, so that it is the sum
// of all that decides, and says so.
absl::Status LimitMemory(const SandboxPlan& plan) {
  if (plan.memory_bytes() == 0) return absl::OkStatus();
  return Limit(RLIMIT_DATA, 2 * plan.memory_bytes() + (uint64_t{1} << 30), "data");
}

LandlockRules RulesOf(const SandboxPlan& plan) {
  const bool own = Has(plan, SandboxPlan::MOUNTS);
  LandlockRules rules;
  rules.writable = {own ? kWorkFolder : plan.work_folder(),
                    own ? kTemporaryFolder : plan.temporary_folder()};
  if (own) rules.writable.push_back("/dev/shm");
  rules.devices = {plan.devices().begin(), plan.devices().end()};
  rules.readable = {plan.system_paths().begin(), plan.system_paths().end()};
  rules.readable.push_back("/proc");
  rules.required = {plan.read_paths().begin(), plan.read_paths().end()};
  return rules;
}

// Before another program has our descriptors: all but the three are marked, not closed, for the
// pipe that tells of a failure is one of them.
absl::Status MarkDescriptors() {
  if (syscall(SYS_close_range, 3u, ~0u, CLOSE_RANGE_CLOEXEC) == 0) return absl::OkStatus();
  return SystemError("close_range");
}

void ResetSignals() {
  for (int number = 1; number < NSIG; ++number) signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

absl::Status EnterFolder(const SandboxPlan& plan) {
  const std::string work = Has(plan, SandboxPlan::MOUNTS) ? kWorkFolder : plan.work_folder();
  const std::string folder = absl::StrCat(work, "/", plan.working_directory());
  return chdir(folder.c_str()) == 0 ? absl::OkStatus() : SystemError("chdir", folder);
}

// Everything up to exec. Returns only when something failed.
StartFault BecomeProgram(const SandboxPlan& plan) {
  setpgid(0, 0);
  ResetSignals();
  umask(077);
  absl::Status status = SetLimits(plan);
  if (status.ok()) status = MarkDescriptors();
  if (!status.ok()) return {SandboxPlan::GUARD_UNSPECIFIED, status};
  if (Has(plan, SandboxPlan::MEMORY)) status = LimitMemory(plan);
  if (!status.ok()) return {SandboxPlan::MEMORY, status};
  if (plan.uid() != 0) status = BecomeUser(plan.uid());
  if (status.ok() && Has(plan, SandboxPlan::USER)) status = DropCapabilities();
  if (!status.ok()) return {SandboxPlan::USER, status};
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // Forgotten by the change of user, so after it.
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    return {SandboxPlan::GUARD_UNSPECIFIED, SystemError("prctl", "no new privileges")};
  if (status = EnterFolder(plan); !status.ok()) return {SandboxPlan::GUARD_UNSPECIFIED, status};
  if (Has(plan, SandboxPlan::LANDLOCK)) status = RestrictFiles(RulesOf(plan));
  if (!status.ok()) return {SandboxPlan::LANDLOCK, status};
  const std::vector<char*> arguments = Pointers(plan.arguments());
  const std::vector<char*> environment = Pointers(plan.environment());
  if (Has(plan, SandboxPlan::SECCOMP)) status = RestrictSystemCalls();
  if (!status.ok()) return {SandboxPlan::SECCOMP, status};
  execve(plan.program().c_str(), arguments.data(), environment.data());
  return {SandboxPlan::GUARD_UNSPECIFIED, SystemError("exec", plan.program())};
}

// One byte of guard, then the message.
void SendFault(int fd, const StartFault& fault) {
  const std::string text =
      absl::StrCat(std::string(1, static_cast<char>(fault.guard)), fault.status.message());
  [[maybe_unused]] const ssize_t sent = write(fd, text.data(), std::min<size_t>(text.size(), 4096));
}

StartFault ReceiveFault(int fd) {
  std::string text(4096, '\0');
  ssize_t got;
  do {
    got = read(fd, text.data(), text.size());
  } while (got < 0 && errno == EINTR);
  if (got <= 0) return {};
  text.resize(static_cast<size_t>(got));
  return {static_cast<SandboxPlan::Guard>(text[0]), absl::FailedPreconditionError(text.substr(1))};
}

}  // namespace

bool Has(const SandboxPlan& plan, SandboxPlan::Guard guard) {
  return std::find(plan.guards().begin(), plan.guards().end(), guard) != plan.guards().end();
}

StartFault StartProgram(const SandboxPlan& plan, pid_t* pid) {
  int pipe_fds[2];
  if (pipe2(pipe_fds, O_CLOEXEC) != 0) return {{}, SystemError("pipe")};
  *pid = fork();
  if (*pid == 0) {
    SendFault(pipe_fds[1], BecomeProgram(plan));
    _exit(127);
  }
  close(pipe_fds[1]);
  const StartFault fault =
      *pid < 0 ? StartFault{{}, SystemError("fork")} : ReceiveFault(pipe_fds[0]);
  close(pipe_fds[0]);
  return fault;
}

}  // namespace switchyard::sandbox
