#include "tests/bench/installation.h"

#include <signal.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/lifecycle/address_file.h"
#include "grpcpp/grpcpp.h"
#include "switchyard/v1/fleet_service.grpc.pb.h"

namespace switchyard::bench {
namespace {

namespace fs = std::filesystem;

constexpr absl::Duration kStartTimeout = absl::Seconds(30);

std::string ReadAll(const std::string& path) {
  std::ifstream in(path);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

}  // namespace

Installation::Installation(std::string binaries, std::string directory,
                           std::string scheduler_config)
    : binaries_(std::move(binaries)),
      directory_(std::move(directory)),
      scheduler_config_(std::move(scheduler_config)) {
  fs::remove_all(directory_);
  fs::create_directories(directory_);
}

Installation::~Installation() {
  Stop();
  std::error_code ignored;
  fs::remove_all(directory_, ignored);
}

std::string Installation::WriteConfig(const std::string& name, const std::string& text) const {
  const std::string path = absl::StrCat(directory_, "/", name, ".textproto");
  std::ofstream(path) << text << "address_file: '" << directory_ << "/" << name << ".addresses'\n";
  std::error_code ignored;
  fs::remove(absl::StrCat(directory_, "/", name, ".addresses"), ignored);
  return path;
}

std::unique_ptr<e2e::Process> Installation::Launch(const std::string& name,
                                                   const std::string& config) const {
  return std::make_unique<e2e::Process>(
      std::vector<std::string>{absl::StrCat(binaries_, "/switchyard-", name), "--config", config},
      absl::StrCat(directory_, "/", name, ".log"));
}

absl::Status Installation::WaitFor(e2e::Process& process, const std::string& name,
                                   const std::string& file) const {
  const absl::Time end = absl::Now() + kStartTimeout;
  while (!fs::exists(file)) {
    if (process.Wait(0) != -1 || absl::Now() > end) {
      return absl::FailedPreconditionError(
          absl::StrCat("switchyard-", name, " did not start; its log:\n",
                       ReadAll(absl::StrCat(directory_, "/", name, ".log"))));
    }
    absl::SleepFor(absl::Microseconds(200));
  }
  return absl::OkStatus();
}

absl::Status Installation::StartScheduler() {
  // As `up` connects them on one host.
  const std::string worker_socket = absl::StrCat("unix:", directory_, "/workers.sock");
  const std::string config = WriteConfig(
      "scheduler", absl::StrCat("data_dir: '", directory_, "/scheduler'\nlisten: '127.0.0.1:0'\n",
                                "worker_listen: '", worker_socket,
                                "'\nadmin_listen: '127.0.0.1:0'\nallow_noop: true\n",
                                "artifact_dir: '", directory_, "/artifacts'\n", scheduler_config_));
  const absl::Time start = absl::Now();
  scheduler_process_ = Launch("scheduler", config);
  const std::string file = directory_ + "/scheduler.addresses";
  if (absl::Status status = WaitFor(*scheduler_process_, "scheduler", file); !status.ok())
    return status;
  scheduler_start_ = absl::Now() - start;
  const auto addresses = ReadAddressFile(file);
  if (!addresses.ok()) return addresses.status();
  scheduler_address_ = addresses->at("client");
  worker_address_ = worker_socket;
  return absl::OkStatus();
}

absl::Status Installation::StartGateway() {
  const std::string config = WriteConfig(
      "gateway",
      absl::StrCat("http_listen: '127.0.0.1:0'\ngrpc_listen: '127.0.0.1:0'\n", "scheduler: '",
                   scheduler_address_, "'\nartifact_dir: '", directory_, "/artifacts'\n"));
  const absl::Time start = absl::Now();
  gateway_process_ = Launch("gateway", config);
  const std::string file = directory_ + "/gateway.addresses";
  if (absl::Status status = WaitFor(*gateway_process_, "gateway", file); !status.ok())
    return status;
  gateway_start_ = absl::Now() - start;
  const auto addresses = ReadAddressFile(file);
  if (!addresses.ok()) return addresses.status();
  gateway_address_ = addresses->at("grpc");
  return absl::OkStatus();
}

absl::Status Installation::WaitForWorker() const {
  const auto stub = v1::FleetService::NewStub(
      grpc::CreateChannel(scheduler_address_, grpc::InsecureChannelCredentials()));
  const absl::Time end = absl::Now() + kStartTimeout;
  while (absl::Now() < end) {
    grpc::ClientContext context;
    v1::ListWorkersResponse workers;
    if (stub->ListWorkers(&context, {}, &workers).ok() && workers.workers_size() > 0)
      return absl::OkStatus();
    absl::SleepFor(absl::Milliseconds(1));
  }
  return absl::FailedPreconditionError(
      absl::StrCat("no worker attached; its log:\n", ReadAll(directory_ + "/worker.log")));
}

absl::Status Installation::StartWorker() {
  const std::string config = WriteConfig(
      "worker", absl::StrCat("id: 'bench'\ndata_dir: '", directory_, "/worker'\nscheduler: '",
                             worker_address_, "'\nartifact_dir: '", directory_,
                             "/artifacts'\nadmin_listen: '127.0.0.1:0'\n"));
  const absl::Time start = absl::Now();
  worker_process_ = Launch("worker", config);
  if (absl::Status status = WaitForWorker(); !status.ok()) return status;
  worker_start_ = absl::Now() - start;
  return absl::OkStatus();
}

void Installation::Stop() {
  for (auto* process : {&worker_process_, &gateway_process_, &scheduler_process_}) {
    if (*process == nullptr) continue;
    (*process)->Signal(SIGTERM);
    (*process)->Wait(20);
    process->reset();
  }
}

int64_t Installation::SchedulerResidentBytes() const {
  return scheduler_process_ == nullptr ? 0 : ResidentBytes(scheduler_process_->pid());
}

int64_t ResidentBytes(int pid) {
  std::ifstream in(absl::StrCat("/proc/", pid, "/status"));
  int64_t kilobytes = 0;
  for (std::string word; in >> word;) {
    if (word == "VmRSS:" && in >> kilobytes) break;
  }
  return kilobytes * 1024;
}

}  // namespace switchyard::bench
