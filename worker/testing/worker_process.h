// The real switchyard-worker binary, started for a test with a folder of its own.
#pragma once

#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <fstream>
#include <string>
#include <vector>

#include "worker/testing/processes.h"

namespace switchyard::worker {

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
