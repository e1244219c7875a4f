#include "common/lifecycle/shutdown_signal.h"

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>

namespace switchyard {
namespace {

sigset_t Watched() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  return set;
}

}  // namespace

ShutdownSignal::ShutdownSignal() {
  const sigset_t set = Watched();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signal(SIGPIPE, SIG_IGN);
  fd_ = signalfd(-1, &set, SFD_CLOEXEC);
}

ShutdownSignal::~ShutdownSignal() { close(fd_); }

int ShutdownSignal::Wait() {
  signalfd_siginfo info;
  ssize_t size;
  do {
    size = read(fd_, &info, sizeof info);
  } while (size < 0 && errno == EINTR);
  const sigset_t set = Watched();
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  return size == sizeof info ? static_cast<int>(info.ssi_signo) : SIGTERM;
}

}  // namespace switchyard
