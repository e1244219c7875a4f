#include "cli/demo/up_process.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/http/client.h"
#include "common/lifecycle/address_file.h"

namespace switchyard::cli {
namespace {

bool Answers(const std::string& http, const std::string& target, absl::string_view expected) {
  const absl::StatusOr<HttpReply> reply =
      HttpCall({.address = http, .target = target, .timeout = absl::Seconds(2)});
  return reply.ok() && reply->status == 200 && absl::StrContains(reply->body, expected);
}

}  // namespace

absl::StatusOr<std::unique_ptr<UpProcess>> UpProcess::Start(
    const std::string& program_folder, const std::vector<std::string>& arguments) {
  std::vector<std::string> command = {program_folder + "/switchyard", "up"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& argument : command) argv.push_back(argument.data());
  argv.push_back(nullptr);
  const pid_t pid = fork();
  if (pid < 0) return absl::InternalError(absl::StrCat("cannot fork: ", std::strerror(errno)));
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    execv(argv[0], argv.data());
    _exit(127);
  }
  return std::unique_ptr<UpProcess>(new UpProcess(pid));
}

UpProcess::~UpProcess() {
  if (HasEnded()) return;
  kill(pid_, SIGTERM);
  Wait();
}

bool UpProcess::HasEnded() {
  if (pid_ > 0 && waitpid(pid_, &status_, WNOHANG) == pid_) pid_ = -1;
  return pid_ <= 0;
}

absl::StatusOr<UpProcess::Doors> UpProcess::WaitReady(const std::string& address_file,
                                                      absl::Duration timeout) {
  const absl::Time end = absl::Now() + timeout;
  while (true) {
    // Read again each time: at first it may be an earlier run's.
    const auto addresses = ReadAddressFile(address_file);
    if (addresses.ok() && addresses->count("http") == 1 && addresses->count("grpc") == 1) {
      const Doors doors = {addresses->at("http"), addresses->at("grpc")};
      if (Answers(doors.http, "/readyz", "") &&
          Answers(doors.http, "/api/v1/devices", "\"device\""))
        return doors;
    }
    if (HasEnded()) {
      return absl::UnavailableError(
          "`switchyard up` ended before it was ready; what it printed says why");
    }
    if (absl::Now() > end) {
      return absl::UnavailableError(
          absl::StrCat("`switchyard up` is not ready after ", absl::FormatDuration(timeout)));
    }
    absl::SleepFor(absl::Milliseconds(50));
  }
}

int UpProcess::Wait() {
  while (pid_ > 0) {
    if (waitpid(pid_, &status_, 0) == pid_)
      pid_ = -1;
    else if (errno != EINTR)
      break;
  }
  return WIFEXITED(status_) ? WEXITSTATUS(status_) : 128 + WTERMSIG(status_);
}

}  // namespace switchyard::cli
