// Everything `up` keeps in its data folder, and how the processes in it are told about one another.
//
//   DIR/lock              held by the running `up`
//   DIR/operator.token    made at the first start, mode 0600
//   DIR/scheduler.textproto   the operator's own: keys, tenants, limits of the scheduler; optional
//   DIR/conf/*.textproto  written at every start
//   DIR/run/              sockets and address files
//   DIR/log/*.log
//   DIR/scheduler/ DIR/worker-*/ DIR/artifacts/   the processes' own
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/up/supervisor.h"
#include "switchyard/config/v1/command_policy.pb.h"
#include "switchyard/config/v1/scheduler.pb.h"

namespace switchyard::cli {

struct UpOptions {
  std::string data;                     // Absolute.
  std::string program;                  // Folder of the binaries.
  std::string http = "127.0.0.1:8080";  // Port 0: a free one.
  std::string grpc = "127.0.0.1:7070";
  std::vector<std::string> workers;  // `cpu:N`, `cuda:N`; empty: `cpu:1` and one for each GPU.
  std::vector<std::string> data_roots;
  bool allow_noop = false;
  // Of the workers' command policy.
  std::vector<std::string> commands;           // NAME=PATH.
  std::vector<std::string> command_reads;      // Files and folders that they may read.
  std::vector<std::string> command_variables;  // Names that jobs may set.
  bool command_network = false;
  std::string scheduler_config;  // File; empty: DIR/scheduler.textproto when it is there.
};

// One worker to start.
struct WorkerPlan {
  std::string id;             // "cpu-0"
  std::string device;         // "cpu", "cuda:1"
  uint32_t threads = 0;       // 0: the worker's default.
  uint64_t memory_bytes = 0;  // 0: the worker's default.
};

// `cpu:N` is N workers with equal slices of `cores` and `memory_bytes`; `cuda:N` is the GPU with
// that number. INVALID_ARGUMENT names what is not understood, named twice, or asks for more workers
// than cores.
absl::StatusOr<std::vector<WorkerPlan>> PlanWorkers(const std::vector<std::string>& workers,
                                                    uint32_t cores, uint64_t memory_bytes,
                                                    uint32_t gpus);

class Installation {
 public:
  // Checks the options, makes the folders, token and configs. REQUIRES: DIR is locked.
  // FAILED_PRECONDITION when a port is taken; INVALID_ARGUMENT names the option at fault.
  static absl::StatusOr<Installation> Prepare(const UpOptions& options);

  // What to start, and the file that each writes once it serves (empty: none).
  Service scheduler() const;
  Service gateway() const;
  std::vector<Service> workers() const;
  std::string scheduler_addresses() const { return run_ + "/scheduler.addresses"; }
  std::string gateway_addresses() const { return run_ + "/gateway.addresses"; }

  const std::string& http() const { return http_; }  // HOST:PORT, no port 0.
  const std::string& grpc() const { return grpc_; }
  const std::string& token() const { return token_; }  // The operator's.
  const std::vector<WorkerPlan>& worker_plans() const { return plans_; }

 private:
  absl::Status ChooseAddresses();
  absl::Status PlanCommands();
  absl::Status MakeFolders();
  absl::Status WriteToken() const;
  absl::Status ReadToken();
  // What the operator wrote, without what `up` itself decides.
  absl::StatusOr<config::v1::SchedulerConfig> ReadSchedulerConfig() const;
  absl::Status WriteConfigs() const;
  Service MakeService(const std::string& name, const std::string& binary, const std::string& config,
                      int stop_stage, int stop_seconds) const;
  std::string ConfigFile(const std::string& name) const;

  UpOptions options_;
  std::string run_;
  std::string token_;
  std::string http_, grpc_, client_, worker_;  // Addresses.
  std::vector<WorkerPlan> plans_;
  config::v1::CommandPolicy commands_;
};

}  // namespace switchyard::cli
