#include "worker/supervise/spawner.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <unistd.h>

#include <cstring>
#include <map>

#include "absl/strings/str_cat.h"
#include "worker/runner/process.h"

namespace switchyard::worker {
namespace {

// The daemon's environment with `changes` over it.
std::vector<std::string> Environment(const std::vector<std::string>& changes) {
  std::map<std::string, std::string> merged;
  const auto add = [&merged](const std::string& entry) {
    merged[entry.substr(0, entry.find('='))] = entry;
  };
  for (char** entry = environ; *entry != nullptr; ++entry) add(*entry);
  for (const std::string& entry : changes) add(entry);
  std::vector<std::string> result;
  for (auto& [name, entry] : merged) result.push_back(std::move(entry));
  return result;
}

std::vector<char*> Pointers(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (std::string& string : strings) pointers.push_back(string.data());
  pointers.push_back(nullptr);
  return pointers;
}

class FileActions {
 public:
  FileActions() { posix_spawn_file_actions_init(&actions_); }
  ~FileActions() { posix_spawn_file_actions_destroy(&actions_); }
  void Dup(int from, int to) { posix_spawn_file_actions_adddup2(&actions_, from, to); }
  void CloseFrom(int from) { posix_spawn_file_actions_addclosefrom_np(&actions_, from); }
  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_;
};

class Attributes {
 public:
  Attributes() {
    posix_spawnattr_init(&attributes_);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawnattr_setpgroup(&attributes_, 0);
    posix_spawnattr_setflags(
        &attributes_, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~Attributes() { posix_spawnattr_destroy(&attributes_); }
  const posix_spawnattr_t* get() const { return &attributes_; }

 private:
  posix_spawnattr_t attributes_;
};

absl::StatusOr<pid_t> Start(const SpawnRequest& request) {
  FileActions files;
  // The lock first, and both from copies above the target numbers, so that neither overwrites the
  // other.
  const int lock = request.lock_fd < 0 ? -1 : fcntl(request.lock_fd, F_DUPFD_CLOEXEC, kLockFd + 1);
  const int socket = fcntl(request.socket_fd, F_DUPFD_CLOEXEC, kLockFd + 1);
  files.Dup(socket, kSocketFd);
  if (lock >= 0) files.Dup(lock, kLockFd);
  files.CloseFrom(lock >= 0 ? kLockFd + 1 : kSocketFd + 1);
  std::vector<std::string> arguments = {request.path};
  arguments.insert(arguments.end(), request.arguments.begin(), request.arguments.end());
  std::vector<std::string> environment = Environment(request.environment);
  pid_t pid = 0;
  const Attributes attributes;
  const int error = posix_spawn(&pid, request.path.c_str(), files.get(), attributes.get(),
                                Pointers(arguments).data(), Pointers(environment).data());
  close(socket);
  if (lock >= 0) close(lock);
  if (error != 0) {
    return absl::UnavailableError(absl::StrCat("cannot start the runner ", request.path, ": ",
                                               std::strerror(error),
                                               "; set `runner` in the worker's configuration"));
  }
  return pid;
}

}  // namespace

Spawner::Spawner() : thread_([this] { Run(); }) {}

Spawner::~Spawner() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.SignalAll();
  thread_.join();
}

void Spawner::Spawn(SpawnRequest request, std::function<void(absl::StatusOr<pid_t>)> done) {
  {
    MutexLock lock(mutex_);
    items_.push_back({std::move(request), std::move(done)});
  }
  changed_.Signal();
}

void Spawner::Run() {
  while (true) {
    Item item;
    bool stopping;
    {
      MutexLock lock(mutex_);
      while (items_.empty() && !stopping_) changed_.Wait(mutex_);
      if (items_.empty()) return;
      item = std::move(items_.front());
      items_.pop_front();
      stopping = stopping_;
    }
    absl::StatusOr<pid_t> pid = absl::CancelledError("the daemon ends");
    if (!stopping) pid = Start(item.request);
    close(item.request.socket_fd);
    item.done(std::move(pid));
  }
}

}  // namespace switchyard::worker
