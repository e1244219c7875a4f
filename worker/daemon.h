// The worker daemon, put together: device, runners, agent, stream, admin listener.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/admin/admin_server.h"
#include "common/artifacts/artifact_store.h"
#include "common/lifecycle/directory_lock.h"
#include "switchyard/config/v1/worker.pb.h"
#include "worker/agent/agent.h"
#include "worker/agent/attach_client.h"
#include "worker/agent/segment_store.h"
#include "worker/device/device.h"
#include "worker/device/host.h"
#include "worker/supervise/supervisor.h"

namespace switchyard::worker {

class Daemon {
 public:
  // Locks the data folder (waiting some seconds for runners of a killed predecessor to be gone),
  // finds the device, starts the serving runner and attaches as soon as it answers.
  static absl::StatusOr<std::unique_ptr<Daemon>> Start(
      const ::switchyard::config::v1::WorkerConfig& config, const std::string& version);
  ~Daemon();

  // Hands back what has not started, waits at most drain_seconds for what runs, then ends
  // everything. Blocks.
  void Drain();

 private:
  explicit Daemon(::switchyard::config::v1::WorkerConfig config) : config_(std::move(config)) {}
  // Makes the parts and joins them; starts nothing.
  void Assemble(const DriveDevice& drive, const std::string& command_policy,
                const std::string& version);
  // The completed command policy as a file for the runners; empty: this worker runs no commands.
  absl::StatusOr<std::string> WriteCommandPolicy(const DriveDevice& drive) const;
  void Run();
  absl::Status StartAdmin(const std::string& version);
  void KeepTime();
  // When it is due.
  void MeasureHost();

  const ::switchyard::config::v1::WorkerConfig config_;
  std::unique_ptr<DirectoryLock> lock_;
  std::unique_ptr<ArtifactStore> artifacts_;
  std::unique_ptr<AttachClient> client_;
  std::unique_ptr<Agent> agent_;
  std::unique_ptr<Supervisor> supervisor_;
  std::unique_ptr<SegmentStore> segments_;
  std::unique_ptr<AdminServer> admin_;
  std::unique_ptr<HostMeter> host_;
  absl::Duration next_measure_;
  std::atomic<bool> stopping_ = false;
  std::thread timekeeper_;
};

}  // namespace switchyard::worker
