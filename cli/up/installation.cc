#include "cli/up/installation.h"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "cli/up/free_port.h"
#include "cli/up/machine.h"
#include "common/config/text_config.h"
#include "common/net/address.h"
#include "google/protobuf/text_format.h"
#include "switchyard/config/v1/gateway.pb.h"
#include "switchyard/config/v1/scheduler.pb.h"
#include "switchyard/config/v1/worker.pb.h"

namespace switchyard::cli {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxSocketPath = 107;  // sun_path holds this and a NUL.
constexpr int kDrainSeconds = 20;

absl::Status WriteText(const std::string& path, const google::protobuf::Message& message) {
  std::string text;
  google::protobuf::TextFormat::PrintToString(message, &text);
  std::ofstream out(path, std::ios::trunc);
  // Before anything is in it: the scheduler's may hold tokens.
  std::error_code error;
  fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write, error);
  if (error) return absl::FailedPreconditionError(absl::StrCat("cannot protect ", path));
  out << "# Written by `switchyard up` at every start.\n" << text;
  out.close();
  return out ? absl::OkStatus()
             : absl::FailedPreconditionError(absl::StrCat("cannot write ", path));
}

// A Unix socket where its path fits, else a free loopback port.
absl::StatusOr<std::string> InternalAddress(const std::string& socket) {
  if (socket.size() <= kMaxSocketPath) return "unix:" + socket;
  return FreeLoopbackAddress("127.0.0.1:0");
}

absl::StatusOr<std::vector<WorkerPlan>> PlanCpuWorkers(const std::string& text, uint32_t count,
                                                       uint32_t cores, uint64_t memory_bytes) {
  if (count == 0 || count > cores) {
    return absl::InvalidArgumentError(absl::StrCat("--workers ", text, ": 1 to ", cores,
                                                   " CPU workers fit the ", cores, " cores here"));
  }
  std::vector<WorkerPlan> plans;
  for (uint32_t i = 0; i < count; ++i) {
    WorkerPlan plan{absl::StrCat("cpu-", i), "cpu", 0, 0};
    if (count > 1) {
      plan.threads = cores / count;
      plan.memory_bytes = memory_bytes / count;
    }
    plans.push_back(plan);
  }
  return plans;
}

}  // namespace

absl::StatusOr<std::vector<WorkerPlan>> PlanWorkers(const std::vector<std::string>& workers,
                                                    uint32_t cores, uint64_t memory_bytes,
                                                    uint32_t gpus) {
  std::vector<std::string> wanted = workers;
  if (wanted.empty()) {
    wanted.push_back("cpu:1");
    for (uint32_t i = 0; i < gpus; ++i) wanted.push_back(absl::StrCat("cuda:", i));
  }
  std::vector<WorkerPlan> plans;
  for (const std::string& text : wanted) {
    absl::string_view rest = text;
    uint32_t number = 1;
    if (absl::ConsumePrefix(&rest, "cuda:") && absl::SimpleAtoi(rest, &number)) {
      plans.push_back({absl::StrCat("cuda-", number), text, 0, 0});
    } else if (text == "cpu" ||
               (absl::ConsumePrefix(&rest, "cpu:") && absl::SimpleAtoi(rest, &number))) {
      absl::StatusOr<std::vector<WorkerPlan>> more =
          PlanCpuWorkers(text, number, cores, memory_bytes);
      if (!more.ok()) return more.status();
      plans.insert(plans.end(), more->begin(), more->end());
    } else {
      return absl::InvalidArgumentError(absl::StrCat(
          "--workers: \"", text, "\" is not understood: cpu:N (so many) or cuda:N (that GPU)"));
    }
  }
  for (size_t i = 0; i < plans.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (plans[i].id == plans[j].id) {
        return absl::InvalidArgumentError(
            absl::StrCat("--workers names ", plans[i].device, " twice"));
      }
    }
  }
  return plans;
}

absl::StatusOr<Installation> Installation::Prepare(const UpOptions& options) {
  Installation installation;
  installation.options_ = options;
  installation.run_ = options.data + "/run";
  absl::StatusOr<std::vector<WorkerPlan>> plans =
      PlanWorkers(options.workers, CoresHere(), MemoryAvailableHere(), GpusHere());
  if (!plans.ok()) return plans.status();
  installation.plans_ = *std::move(plans);
  for (const std::string& root : options.data_roots) {
    if (!fs::is_directory(root)) {
      return absl::InvalidArgumentError(absl::StrCat("--data-root: there is no folder ", root));
    }
  }
  if (absl::Status status = installation.PlanCommands(); !status.ok()) return status;
  if (absl::Status status = installation.ChooseAddresses(); !status.ok()) return status;
  if (absl::Status status = installation.MakeFolders(); !status.ok()) return status;
  if (absl::Status status = installation.WriteToken(); !status.ok()) return status;
  if (absl::Status status = installation.ReadToken(); !status.ok()) return status;
  if (absl::Status status = installation.WriteConfigs(); !status.ok()) return status;
  return installation;
}

absl::Status Installation::PlanCommands() {
  for (const std::string& text : options_.commands) {
    const size_t equals = text.find('=');
    const std::string path = equals == std::string::npos ? "" : text.substr(equals + 1);
    if (!fs::path(path).is_absolute() || access(path.c_str(), X_OK) != 0) {
      return absl::InvalidArgumentError(absl::StrCat(
          "--allow-command: \"", text, "\" is not NAME=PATH with the path of an executable"));
    }
    config::v1::CommandPolicy::Program* const program = commands_.add_programs();
    program->set_name(text.substr(0, equals));
    program->set_path(path);
    for (const std::string& name : options_.command_variables)
      program->add_allowed_environment(name);
    for (const std::string& read : options_.command_reads)
      program->add_read_paths(fs::absolute(read).lexically_normal().string());
  }
  commands_.set_allow_network(options_.command_network);
  return absl::OkStatus();
}

absl::Status Installation::ChooseAddresses() {
  const struct {
    const char* option;
    const std::string& asked;
    std::string* chosen;
  } doors[] = {{"--http", options_.http, &http_}, {"--grpc", options_.grpc, &grpc_}};
  for (const auto& door : doors) {
    if (absl::Status status = RequireLoopback(door.option, door.asked); !status.ok()) return status;
    absl::StatusOr<std::string> address = FreeLoopbackAddress(door.asked);
    if (!address.ok()) {
      return absl::FailedPreconditionError(
          absl::StrCat(door.option, ": ", address.status().message(), "; name another, as ",
                       door.option, " 127.0.0.1:0 for any free port"));
    }
    *door.chosen = *address;
  }
  absl::StatusOr<std::string> client = InternalAddress(run_ + "/scheduler.sock");
  if (!client.ok()) return client.status();
  absl::StatusOr<std::string> worker = InternalAddress(run_ + "/workers.sock");
  if (!worker.ok()) return worker.status();
  client_ = *client;
  worker_ = *worker;
  return absl::OkStatus();
}

absl::Status Installation::MakeFolders() {
  // What an earlier run left in it names addresses that are not served yet.
  std::error_code error;
  fs::remove_all(run_, error);
  for (const std::string& folder : {run_, options_.data + "/conf", options_.data + "/log"}) {
    fs::create_directories(folder, error);
    if (error) {
      return absl::FailedPreconditionError(
          absl::StrCat("cannot make the folder ", folder, ": ", error.message()));
    }
  }
  fs::permissions(run_, fs::perms::owner_all, error);
  return absl::OkStatus();
}

absl::Status Installation::WriteToken() const {
  const std::string path = options_.data + "/operator.token";
  if (access(path.c_str(), F_OK) == 0) return absl::OkStatus();
  char bytes[32];
  if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
    return absl::InternalError("no random bytes");
  const std::string token = absl::BytesToHexString(absl::string_view(bytes, sizeof bytes)) + "\n";
  // Whole or not at all: a crash between the two leaves only the temporary.
  const std::string temporary = path + ".tmp";
  unlink(temporary.c_str());
  const int fd = open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  const bool written =
      fd >= 0 && write(fd, token.data(), token.size()) == static_cast<ssize_t>(token.size()) &&
      fsync(fd) == 0;
  if (fd >= 0) close(fd);
  if (written && rename(temporary.c_str(), path.c_str()) == 0) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat("cannot write ", path));
}

absl::Status Installation::ReadToken() {
  std::ifstream in(options_.data + "/operator.token");
  std::getline(in, token_);
  if (!token_.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      options_.data, "/operator.token is empty; remove it, and the next start makes a new one"));
}

absl::StatusOr<config::v1::SchedulerConfig> Installation::ReadSchedulerConfig() const {
  config::v1::SchedulerConfig config;
  std::string file = options_.scheduler_config;
  if (file.empty()) {
    file = options_.data + "/scheduler.textproto";
    if (!fs::exists(file)) return config;
  }
  if (absl::Status status = LoadTextConfig(file, &config); !status.ok()) return status;
  return config;
}

absl::Status Installation::WriteConfigs() const {
  absl::StatusOr<config::v1::SchedulerConfig> read = ReadSchedulerConfig();
  if (!read.ok()) return read.status();
  config::v1::SchedulerConfig& scheduler = *read;
  scheduler.set_data_dir(options_.data + "/scheduler");
  scheduler.set_listen(client_);
  scheduler.set_worker_listen(worker_);
  scheduler.set_admin_listen("127.0.0.1:0");
  scheduler.set_artifact_dir(options_.data + "/artifacts");
  if (options_.allow_noop) scheduler.set_allow_noop(true);
  scheduler.set_address_file(scheduler_addresses());
  scheduler.set_operator_token_file(options_.data + "/operator.token");
  if (absl::Status status = WriteText(ConfigFile("scheduler"), scheduler); !status.ok())
    return status;

  config::v1::GatewayConfig gateway;
  gateway.set_http_listen(http_);
  gateway.set_grpc_listen(grpc_);
  gateway.add_scheduler(client_);
  gateway.set_artifact_dir(options_.data + "/artifacts");
  gateway.set_address_file(gateway_addresses());
  if (absl::Status status = WriteText(ConfigFile("gateway"), gateway); !status.ok()) return status;

  for (const WorkerPlan& plan : plans_) {
    config::v1::WorkerConfig worker;
    worker.set_id(plan.id);
    worker.set_data_dir(absl::StrCat(options_.data, "/worker-", plan.id));
    worker.add_scheduler(worker_);
    worker.set_device(plan.device);
    worker.set_threads(plan.threads);
    worker.set_memory_bytes(plan.memory_bytes);
    for (const std::string& root : options_.data_roots)
      worker.add_data_roots(fs::canonical(root).string());
    worker.set_artifact_dir(options_.data + "/artifacts");
    worker.set_admin_listen("127.0.0.1:0");
    worker.set_runner(options_.program + "/switchyard-runner");
    worker.set_drain_seconds(kDrainSeconds);
    if (!commands_.programs().empty()) *worker.mutable_commands() = commands_;
    worker.set_address_file(absl::StrCat(run_, "/worker-", plan.id, ".addresses"));
    if (absl::Status status = WriteText(ConfigFile("worker-" + plan.id), worker); !status.ok())
      return status;
  }
  return absl::OkStatus();
}

std::string Installation::ConfigFile(const std::string& name) const {
  return absl::StrCat(options_.data, "/conf/", name, ".textproto");
}

Service Installation::MakeService(const std::string& name, const std::string& binary,
                                  const std::string& config, int stop_stage,
                                  int stop_seconds) const {
  return {name,
          {absl::StrCat(options_.program, "/", binary), "--config", ConfigFile(config)},
          absl::StrCat(options_.data, "/log/", config, ".log"),
          stop_stage,
          absl::Seconds(stop_seconds)};
}

// Workers first, so that what they drain is still accepted; the scheduler last.
std::vector<Service> Installation::workers() const {
  std::vector<Service> services;
  for (const WorkerPlan& plan : plans_) {
    services.push_back(MakeService("worker " + plan.id, "switchyard-worker", "worker-" + plan.id, 0,
                                   kDrainSeconds + 5));
  }
  return services;
}

Service Installation::gateway() const {
  return MakeService("gateway", "switchyard-gateway", "gateway", 1, 10);
}

Service Installation::scheduler() const {
  return MakeService("scheduler", "switchyard-scheduler", "scheduler", 2, 10);
}

}  // namespace switchyard::cli
