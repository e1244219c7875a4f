#include "worker/sandbox/seccomp_filter.h"

#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "absl/strings/str_cat.h"

namespace switchyard::sandbox {
namespace {

using Filter = std::unique_ptr<void, void (*)(scmp_filter_ctx)>;

constexpr const char* kDenied[] = {
    // Other processes.
    "ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "kcmp", "pidfd_getfd",
    // Mounts, namespaces, roots.
    "mount", "umount", "umount2", "pivot_root", "chroot", "open_tree", "open_tree_attr",
    "move_mount", "fsopen", "fsconfig", "fsmount", "fspick", "mount_setattr", "unshare", "setns",
    // Files past their folder's rights.
    "open_by_handle_at", "name_to_handle_at", "fanotify_init", "quotactl", "quotactl_fd",
    // Parts of the kernel with a history of holes, and none of use to a job.
    "io_uring_setup", "io_uring_enter", "io_uring_register", "userfaultfd", "bpf",
    "perf_event_open", "keyctl", "add_key", "request_key", "vmsplice", "modify_ldt",
    "lookup_dcookie", "uselib", "_sysctl", "remap_file_pages",
    // The machine.
    "kexec_load", "kexec_file_load", "init_module", "finit_module", "delete_module",
    "create_module", "reboot", "swapon", "swapoff", "acct", "syslog", "iopl", "ioperm",
    "settimeofday", "clock_settime", "clock_settime64", "clock_adjtime", "clock_adjtime64",
    "adjtimex", "stime", "sethostname", "setdomainname", "vhangup", "nfsservctl"};

constexpr unsigned long kNewNamespaces[] = {CLONE_NEWUSER,  CLONE_NEWNS,  CLONE_NEWPID,
                                            CLONE_NEWNET,   CLONE_NEWIPC, CLONE_NEWUTS,
                                            CLONE_NEWCGROUP};

// Families a job may open sockets of; with no network of its own they reach its own loopback only.
constexpr bool MayOpen(unsigned family) {
  return family == AF_UNIX || family == AF_INET || family == AF_INET6 || family == AF_NETLINK;
}

absl::Status Error(int result, absl::string_view what) {
  return absl::FailedPreconditionError(absl::StrCat(what, ": ", std::strerror(-result)));
}

absl::Status Deny(const Filter& filter, const char* name, int error) {
  const int call = seccomp_syscall_resolve_name(name);
  if (call == __NR_SCMP_ERROR) return absl::OkStatus();  // Not known here, so not there.
  const int result = seccomp_rule_add(filter.get(), SCMP_ACT_ERRNO(error), call, 0);
  return result == 0 ? absl::OkStatus() : Error(result, absl::StrCat("seccomp rule for ", name));
}

absl::Status DenyWhen(const Filter& filter, int call, scmp_arg_cmp when) {
  const int result = seccomp_rule_add(filter.get(), SCMP_ACT_ERRNO(EPERM), call, 1, when);
  return result == 0 ? absl::OkStatus() : Error(result, "seccomp rule");
}

absl::Status DenyArguments(const Filter& filter) {
  absl::Status status;
  for (const unsigned long flag : kNewNamespaces) {
    status.Update(DenyWhen(filter, SCMP_SYS(clone), SCMP_A0(SCMP_CMP_MASKED_EQ, flag, flag)));
  }
  // Past the last family known there are none.
  for (unsigned family = 0; family < AF_MAX; ++family) {
    if (MayOpen(family)) continue;
    status.Update(DenyWhen(filter, SCMP_SYS(socket), SCMP_A0_32(SCMP_CMP_EQ, family)));
  }
  status.Update(DenyWhen(filter, SCMP_SYS(socket), SCMP_A0_32(SCMP_CMP_GE, AF_MAX)));
  // Typing into the terminal of whoever started the worker.
  for (const unsigned long request :
       {static_cast<unsigned long>(TIOCSTI), 0x541CUL /*TIOCLINUX*/}) {
    status.Update(
        DenyWhen(filter, SCMP_SYS(ioctl), SCMP_A1(SCMP_CMP_MASKED_EQ, 0xFFFFFFFFUL, request)));
  }
  return status;
}

}  // namespace

absl::Status RestrictSystemCalls() {
  const Filter filter(seccomp_init(SCMP_ACT_ALLOW), seccomp_release);
  if (filter == nullptr) return absl::FailedPreconditionError("seccomp_init failed");
  seccomp_attr_set(filter.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
  // A tree instead of a chain: every call of the program passes it.
  seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2);
  absl::Status status;
  for (const char* name : kDenied) status.Update(Deny(filter, name, EPERM));
  status.Update(Deny(filter, "clone3", ENOSYS));
  status.Update(DenyArguments(filter));
  if (!status.ok()) return status;
  const int result = seccomp_load(filter.get());
  return result == 0 ? absl::OkStatus() : Error(result, "seccomp_load");
}

}  // namespace switchyard::sandbox
