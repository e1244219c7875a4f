#include "worker/tasks/command/sandbox_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "worker/sandbox/warden.h"

namespace switchyard::worker {
namespace {

using ::switchyard::worker::v1::SandboxPlan;
using ::switchyard::worker::v1::SandboxReport;

using ::switchyard::sandbox::kKillAll;
using ::switchyard::sandbox::kTerminateAll;

constexpr int kFirstFreeFd = 5;  // After those that worker/sandbox/main.cc expects.
constexpr size_t kReadBytes = 64 << 10;

absl::Status StartError(int error, absl::string_view what) {
  return absl::UnavailableError(
      absl::StrCat("cannot start the sandbox: ", what, ": ", std::strerror(error)));
}

// The plan as a file without a name. Above the descriptors it will be put on.
absl::StatusOr<UniqueFd> WritePlan(const SandboxPlan& plan) {
  UniqueFd fd(memfd_create("plan", MFD_CLOEXEC));
  if (!fd.valid()) return StartError(errno, "memfd_create");
  const std::string bytes = plan.SerializeAsString();
  if (absl::Status status = WriteFully(fd.get(), bytes, "the plan"); !status.ok()) return status;
  lseek(fd.get(), 0, SEEK_SET);
  return fd;
}

// A pair of descriptors: ours, and the child's.
struct Ends {
  UniqueFd ours{-1};
  UniqueFd theirs{-1};
};

absl::StatusOr<Ends> MakePipe() {
  int fds[2];
  if (pipe2(fds, O_CLOEXEC) != 0) return StartError(errno, "pipe");
  fcntl(fds[0], F_SETFL, O_NONBLOCK);
  return Ends{UniqueFd(fds[0]), UniqueFd(fds[1])};
}

absl::StatusOr<Ends> MakeSocketPair() {
  int fds[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
    return StartError(errno, "socketpair");
  fcntl(fds[0], F_SETFL, O_NONBLOCK);
  return Ends{UniqueFd(fds[0]), UniqueFd(fds[1])};
}

// A copy at a number past those of the child, so that putting one in its place overwrites no other.
UniqueFd Raised(int fd) { return UniqueFd(fcntl(fd, F_DUPFD_CLOEXEC, kFirstFreeFd)); }

absl::StatusOr<pid_t> Spawn(const std::string& binary, const std::array<int, 4>& fds) {
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
  for (size_t i = 0; i < fds.size(); ++i)
    posix_spawn_file_actions_adddup2(&files, fds[i], static_cast<int>(i) + 1);
  posix_spawn_file_actions_addclosefrom_np(&files, kFirstFreeFd);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  std::string name = binary;
  char* arguments[] = {name.data(), nullptr};
  char* environment[] = {nullptr};
  pid_t pid = 0;
  const int error = posix_spawn(&pid, binary.c_str(), &files, &attributes, arguments, environment);
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) return StartError(error, binary);
  return pid;
}

}  // namespace

absl::StatusOr<SandboxProcess> SandboxProcess::Start(const std::string& binary,
                                                     const SandboxPlan& plan) {
  const absl::StatusOr<UniqueFd> file = WritePlan(plan);
  if (!file.ok()) return file.status();
  absl::StatusOr<Ends> out = MakePipe(), error = MakePipe(), control = MakeSocketPair();
  for (const absl::StatusOr<Ends>* ends : {&out, &error, &control}) {
    if (!ends->ok()) return ends->status();
  }
  const UniqueFd one = Raised(out->theirs.get()), two = Raised(error->theirs.get()),
                 three = Raised(control->theirs.get()), four = Raised(file->get());
  const absl::StatusOr<pid_t> pid = Spawn(binary, {one.get(), two.get(), three.get(), four.get()});
  if (!pid.ok()) return pid.status();
  return SandboxProcess(*pid, dup(control->ours.get()), dup(out->ours.get()),
                        dup(error->ours.get()));
}

SandboxProcess::SandboxProcess(pid_t pid, int control, int out, int error) : pid_(pid) {
  for (const int fd : {control, out, error}) fcntl(fd, F_SETFD, FD_CLOEXEC);
  control_.emplace(control);
  out_.emplace(out);
  error_.emplace(error);
}

SandboxProcess::~SandboxProcess() {
  if (pid_.value == 0) return;
  control_.reset();  // Ends the program; the report had its time.
  kill(pid_.value, SIGKILL);
  while (waitpid(pid_.value, nullptr, 0) < 0 && errno == EINTR) {
  }
}

bool SandboxProcess::Poll(absl::Duration wait,
                          const std::function<void(Stream, absl::string_view)>& output) {
  const auto fd = [](const std::optional<UniqueFd>& end) { return end ? end->get() : -1; };
  pollfd polled[] = {{fd(out_), POLLIN, 0}, {fd(error_), POLLIN, 0}, {fd(control_), POLLIN, 0}};
  poll(polled, 3, static_cast<int>(absl::ToInt64Milliseconds(wait)));
  if (polled[0].revents != 0) {
    Read(&*out_, Stream::kOut, output);
    if (!out_->valid()) out_.reset();
  }
  if (polled[1].revents != 0) {
    Read(&*error_, Stream::kError, output);
    if (!error_->valid()) error_.reset();
  }
  if (polled[2].revents != 0) ReadReport();
  return out_ || error_ || control_;
}

void SandboxProcess::Read(UniqueFd* fd, Stream stream,
                          const std::function<void(Stream, absl::string_view)>& output) {
  static thread_local std::array<char, kReadBytes> buffer;
  const ssize_t got = read(fd->get(), buffer.data(), buffer.size());
  if (got > 0) return output(stream, absl::string_view(buffer.data(), static_cast<size_t>(got)));
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  (stream == Stream::kOut ? out_ : error_).emplace(-1);
}

void SandboxProcess::ReadReport() {
  std::string bytes(16 << 10, '\0');
  const ssize_t got = read(control_->get(), bytes.data(), bytes.size());
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) return control_.reset();
  bytes.resize(static_cast<size_t>(got));
  SandboxReport report;
  if (report.ParseFromString(bytes)) report_ = std::move(report);
}

void SandboxProcess::Order(char order) {
  if (control_) send(control_->get(), &order, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

void SandboxProcess::Terminate() { Order(kTerminateAll); }

void SandboxProcess::Kill() { Order(kKillAll); }

}  // namespace switchyard::worker
