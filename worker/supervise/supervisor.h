// The daemon's runners as real processes.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "common/sync/mutex.h"
#include "switchyard/config/v1/artifact_store.pb.h"
#include "worker/executor/executor.h"
#include "worker/supervise/runners.h"
#include "worker/supervise/spawner.h"

namespace switchyard::worker {

struct SupervisorOptions {
  std::string runner;  // Path of switchyard-runner.
  DeviceHandle device;
  int64_t memory_bytes = 0;  // Of each runner's allocator on cpu; 0: no limit.
  std::string artifact_dir;
  config::v1::S3Store artifact_s3;  // Instead of the folder, when it is set.
  std::string work_dir;             // Parent of the attempts' scratch folders.
  std::vector<std::string> data_roots;
  std::string command_policy;            // File of a CommandPolicy; empty: no commands.
  std::vector<std::string> environment;  // `NAME=VALUE`.
  int lock_fd = -1;                      // Inherited by the runners.
  // Processes the kernel ended so far because memory ran out; none: not known.
  std::function<uint64_t()> oom_kills;
};

// Thread-safe.
class Supervisor final : public Runners {
 public:
  explicit Supervisor(SupervisorOptions options);
  // Kills all runners and waits for their end.
  ~Supervisor() override;

  // Before the first Start. `events` outlives the runners.
  void set_events(RunnerEvents* events) { events_ = events; }

  RunnerId Start(RunnerRole role, absl::Duration delay) override;
  void Send(RunnerId runner, const ::switchyard::worker::v1::ToRunner& frame) override;
  void Close(RunnerId runner) override;
  void Kill(RunnerId runner) override;

  // Kills all runners and waits for their end; none can be started afterwards.
  void Stop();

 private:
  std::shared_ptr<RunnerProcess> Find(RunnerId runner);
  SpawnRequest MakeRequest(RunnerRole role) const;
  void OnExit(RunnerId runner, const RunnerExit& exit);

  const SupervisorOptions options_;
  RunnerEvents* events_ = nullptr;
  Spawner spawner_;
  Mutex mutex_;
  bool stopped_ GUARDED_BY(mutex_) = false;
  RunnerId last_ GUARDED_BY(mutex_) = 0;
  absl::flat_hash_map<RunnerId, std::shared_ptr<RunnerProcess>> runners_ GUARDED_BY(mutex_);
  // Ended, waiting to be destroyed by another thread than their own.
  std::vector<std::shared_ptr<RunnerProcess>> ended_ GUARDED_BY(mutex_);
};

}  // namespace switchyard::worker
