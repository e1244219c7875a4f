// The real switchyard-worker binary, started for a test with a folder of its own.
#pragma once

#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace switchyard::worker {

// A folder that goes with the object.
class TestFolder {
 public:
  TestFolder() {
    std::string name =
        (std::filesystem::temp_directory_path() / "switchyard-worker-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~TestFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// Polls until `condition` or the time is over; the condition's last answer.
template <typename Condition>
bool Eventually(Condition condition, absl::Duration timeout = absl::Seconds(20)) {
  const absl::Time until = absl::Now() + timeout;
  while (!condition()) {
    if (absl::Now() > until) return condition();
    usleep(2000);
  }
  return true;
}

inline bool ProcessLives(pid_t pid) {
  std::ifstream stat(absl::StrCat("/proc/", pid, "/stat"));
  std::string text;
  if (!std::getline(stat, text)) return false;
  const size_t end = text.rfind(')');
  return end != std::string::npos && text.size() > end + 2 && text[end + 2] != 'Z' &&
         text[end + 2] != 'X';
}

// Children of a process, by its own list.
inline std::vector<pid_t> ChildrenOf(pid_t pid) {
  std::vector<pid_t> children;
  std::error_code ignored;
  for (const auto& task :
       std::filesystem::directory_iterator(absl::StrCat("/proc/", pid, "/task"), ignored)) {
    std::ifstream file(task.path() / "children");
    pid_t child;
    while (file >> child) children.push_back(child);
  }
  return children;
}

class WorkerProcess {
 public:
  // `extra` is added to the configuration. The folder is kept over restarts.
  WorkerProcess(const std::string& folder, const std::string& scheduler,
                const std::string& extra = "") {
    const std::string file = folder + "/worker.txtpb";
    std::ofstream(file) << "id: \"w1\"\ndata_dir: \"" << folder << "/data\"\nartifact_dir: \""
                        << folder << "/artifacts\"\nscheduler: \"" << scheduler
                        << "\"\nthreads: 1\n"
                        << extra << "\n";
    std::string path = SWITCHYARD_WORKER_BINARY;
    std::string argument = "--config=" + file;
    char* arguments[] = {path.data(), argument.data(), nullptr};
    posix_spawn(&pid_, path.c_str(), nullptr, nullptr, arguments, environ);
  }
  ~WorkerProcess() {
    if (pid_ == 0) return;
    Signal(SIGKILL);
    Wait();
  }
  pid_t pid() const { return pid_; }
  void Signal(int signal) const { kill(pid_, signal); }
  // Waits for its end; gives waitpid's status.
  int Wait() {
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = 0;
    return status;
  }
  // Its serving runner (the first child).
  pid_t Runner() const {
    const std::vector<pid_t> children = ChildrenOf(pid_);
    return children.empty() ? 0 : children.front();
  }

 private:
  pid_t pid_ = 0;
};

}  // namespace switchyard::worker
