// A whole installation of real processes in a temporary folder: scheduler, gateway and CPU workers,
// each of which can be killed and started again. Sockets between them are Unix sockets, so that a
// restarted process is found again.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "switchyard/v1/fleet_service.grpc.pb.h"
#include "switchyard/v1/job_service.grpc.pb.h"
#include "switchyard/v1/model_service.grpc.pb.h"
#include "tests/e2e/process.h"

namespace switchyard::e2e {

struct FleetOptions {
  int lease_seconds = 30;
  bool allow_noop = true;
  int workers = 1;               // `w1`, `w2`, ... on this one host.
  std::string scheduler_config;  // Added to the scheduler's configuration.
  // `s1`, `s2`, ... on one store: their configurations must name a database.
  int schedulers = 1;
  // Added to the configuration of the scheduler with this number.
  std::function<std::string(int number)> config_of = nullptr;
  std::string artifacts;  // Configuration of the artifact store for all; empty: a folder.
};

// Used by one thread. A failed start ends the test process with the log's place.
class Fleet {
 public:
  explicit Fleet(FleetOptions options = {});
  ~Fleet();

  void StartScheduler(int number = 1);
  void StartGateway();
  void StartWorker(int number = 1);
  // All of them, and waits until every worker's device is offered.
  void Start();

  Process& scheduler(int number = 1) { return *schedulers_[number - 1]; }
  Process& worker(int number = 1) { return *workers_[number - 1]; }
  Process& gateway() { return *gateway_; }

  // Through the gateway's gRPC door.
  v1::JobService::Stub& jobs() { return *jobs_; }
  v1::FleetService::Stub& fleet() { return *fleet_; }
  v1::ModelService::Stub& models() { return *models_; }
  // HOST:PORT of the gateway's HTTP door.
  const std::string& http() const { return http_; }

  // A folder the worker may read.
  const std::string& data_root() const { return data_root_; }
  const std::string& directory() const { return directory_; }

  // Helpers that fail the test on error.
  v1::Job Submit(const v1::Job& job);
  v1::Job Get(const std::string& id);
  // Waits until the job has ended; fails the test when it has not in `timeout`.
  v1::Job WaitEnded(const std::string& id, absl::Duration timeout = absl::Seconds(60));
  // Everything a watcher from the beginning is told, to the job's end.
  std::vector<v1::JobEvent> Watch(const std::string& id, absl::Duration timeout = absl::Minutes(2));
  // Looks every 10 ms until `condition` holds; false when it did not in `timeout`.
  bool WaitUntil(const std::function<bool()>& condition,
                 absl::Duration timeout = absl::Seconds(30));
  bool WaitForState(const std::string& id, v1::Job::State state,
                    absl::Duration timeout = absl::Seconds(30));

 private:
  std::string Config(const std::string& name, const std::string& text);
  // A `scheduler:` line for each of them.
  std::string SchedulerLines(const std::string& socket) const;
  std::string ArtifactsConfig() const;

  const FleetOptions options_;
  std::string directory_, data_root_, http_;
  std::unique_ptr<Process> gateway_;
  std::vector<std::unique_ptr<Process>> schedulers_, workers_;
  std::unique_ptr<v1::JobService::Stub> jobs_;
  std::unique_ptr<v1::FleetService::Stub> fleet_;
  std::unique_ptr<v1::ModelService::Stub> models_;
};

// A noop job with `payload` that keeps its runner busy for `hold`.
v1::Job Noop(const std::string& payload, absl::Duration hold = absl::ZeroDuration());

bool IsEnded(v1::Job::State state);

}  // namespace switchyard::e2e
