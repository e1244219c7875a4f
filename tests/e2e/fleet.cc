#include "tests/e2e/fleet.h"

#include <stdlib.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "grpcpp/grpcpp.h"
#include "gtest/gtest.h"

namespace switchyard::e2e {
namespace {

std::string Binary(const std::string& name) { return std::string(SWITCHYARD_BIN) + "/" + name; }

std::string ReadFile(const std::string& path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

[[noreturn]] void Die(const std::string& what, const std::string& log) {
  std::fprintf(stderr, "%s; %s says:\n%s\n", what.c_str(), log.c_str(), ReadFile(log).c_str());
  std::abort();
}

// The value of `name=` in an address file; empty while it is not there.
std::string AddressIn(const std::string& file, const std::string& name) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    if (absl::StartsWith(line, name + "=")) return line.substr(name.size() + 1);
  }
  return "";
}

}  // namespace

bool IsEnded(v1::Job::State state) {
  return state == v1::Job::SUCCEEDED || state == v1::Job::FAILED || state == v1::Job::CANCELLED ||
         state == v1::Job::EXPIRED;
}

v1::Job Noop(const std::string& payload, absl::Duration hold) {
  v1::Job job;
  job.mutable_noop()->set_payload(payload);
  if (hold > absl::ZeroDuration()) {
    auto* proto = job.mutable_noop()->mutable_hold();
    proto->set_seconds(absl::ToInt64Seconds(hold));
    proto->set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(hold % absl::Seconds(1))));
  }
  return job;
}

Fleet::Fleet(FleetOptions options)
    : options_(std::move(options)), schedulers_(options_.schedulers), workers_(options_.workers) {
  char pattern[] = "/tmp/sy-e2e-XXXXXX";
  directory_ = mkdtemp(pattern);
  data_root_ = directory_ + "/data";
  std::filesystem::create_directories(data_root_);
}

Fleet::~Fleet() {
  workers_.clear();
  gateway_.reset();
  schedulers_.clear();
  if (::testing::Test::HasFailure()) {
    std::fprintf(stderr, "the processes' logs are kept in %s\n", directory_.c_str());
    return;
  }
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

std::string Fleet::Config(const std::string& name, const std::string& text) {
  const std::string path = absl::StrCat(directory_, "/", name, ".conf");
  std::ofstream(path) << text;
  return path;
}

std::string Fleet::ArtifactsConfig() const {
  if (!options_.artifacts.empty()) return options_.artifacts;
  return absl::StrCat("artifact_dir: '", directory_, "/artifacts'\n");
}

std::string Fleet::SchedulerLines(const std::string& socket) const {
  std::string lines;
  for (int number = 1; number <= options_.schedulers; ++number) {
    absl::StrAppend(&lines, "scheduler: 'unix:", directory_, "/", socket, number, ".sock'\n");
  }
  return lines;
}

void Fleet::StartScheduler(int number) {
  const std::string name = absl::StrCat("scheduler", number);
  const std::string config = Config(
      name, absl::StrCat("name: 's", number, "'\n", "data_dir: '", directory_, "/", name, "'\n",
                         "listen: 'unix:", directory_, "/client", number, ".sock'\n",
                         "worker_listen: 'unix:", directory_, "/worker", number, ".sock'\n",
                         ArtifactsConfig(), "lease { seconds: ", options_.lease_seconds, " }\n",
                         "heartbeat_interval { nanos: 200000000 }\n",
                         options_.allow_noop ? "allow_noop: true\n" : "", options_.scheduler_config,
                         options_.config_of ? options_.config_of(number) : ""));
  schedulers_[number - 1] = std::make_unique<Process>(
      std::vector<std::string>{Binary("switchyard-scheduler"), "--config", config},
      absl::StrCat(directory_, "/", name, ".log"));
}

void Fleet::StartGateway() {
  const std::string addresses = directory_ + "/gateway.addresses";
  std::filesystem::remove(addresses);
  const std::string config = Config(
      "gateway", absl::StrCat("http_listen: '127.0.0.1:0'\n", "grpc_listen: 'unix:", directory_,
                              "/gateway.sock'\n", SchedulerLines("client"), ArtifactsConfig(),
                              "address_file: '", addresses, "'\n"));
  gateway_ = std::make_unique<Process>(
      std::vector<std::string>{Binary("switchyard-gateway"), "--config", config},
      directory_ + "/gateway.log");
  if (!WaitUntil([&] { return !(http_ = AddressIn(addresses, "http")).empty(); })) {
    Die("the gateway did not start", directory_ + "/gateway.log");
  }
  auto channel = grpc::CreateChannel("unix:" + directory_ + "/gateway.sock",
                                     grpc::InsecureChannelCredentials());
  jobs_ = v1::JobService::NewStub(channel);
  fleet_ = v1::FleetService::NewStub(channel);
  models_ = v1::ModelService::NewStub(channel);
}

void Fleet::StartWorker(int number) {
  const std::string name = absl::StrCat("worker", number);
  const std::string config =
      Config(name, absl::StrCat("id: 'w", number, "'\n", "data_dir: '", directory_, "/", name,
                                "'\n", SchedulerLines("worker"), "data_roots: '", data_root_, "'\n",
                                ArtifactsConfig(), "threads: 1\n", "drain_seconds: 10\n"));
  workers_[number - 1] = std::make_unique<Process>(
      std::vector<std::string>{Binary("switchyard-worker"), "--config", config},
      absl::StrCat(directory_, "/", name, ".log"));
}

void Fleet::Start() {
  for (int number = 1; number <= options_.schedulers; ++number) StartScheduler(number);
  StartGateway();
  for (int number = 1; number <= options_.workers; ++number) StartWorker(number);
  const bool ready = WaitUntil([&] {
    grpc::ClientContext context;
    v1::ListDevicesResponse devices;
    return fleet_->ListDevices(&context, {}, &devices).ok() &&
           devices.devices_size() >= options_.workers;
  });
  if (!ready) Die("not every worker offered its device", directory_ + "/worker1.log");
}

v1::Job Fleet::Submit(const v1::Job& job) {
  grpc::ClientContext context;
  v1::CreateJobRequest request;
  *request.mutable_job() = job;
  v1::Job accepted;
  const grpc::Status status = jobs_->CreateJob(&context, request, &accepted);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return accepted;
}

v1::Job Fleet::Get(const std::string& id) {
  grpc::ClientContext context;
  v1::GetJobRequest request;
  request.set_job(id);
  v1::Job job;
  const grpc::Status status = jobs_->GetJob(&context, request, &job);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return job;
}

std::vector<v1::JobEvent> Fleet::Watch(const std::string& id, absl::Duration timeout) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + absl::ToChronoMilliseconds(timeout));
  v1::WatchJobRequest request;
  request.set_job(id);
  const auto reader = jobs_->WatchJob(&context, request);
  std::vector<v1::JobEvent> events;
  for (v1::JobEvent event; reader->Read(&event);) events.push_back(event);
  const grpc::Status status = reader->Finish();
  EXPECT_TRUE(status.ok()) << status.error_message();
  return events;
}

bool Fleet::WaitUntil(const std::function<bool()>& condition, absl::Duration timeout) {
  const auto end = std::chrono::steady_clock::now() + absl::ToChronoNanoseconds(timeout);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return true;
}

bool Fleet::WaitForState(const std::string& id, v1::Job::State state, absl::Duration timeout) {
  return WaitUntil([&] { return Get(id).state() == state; }, timeout);
}

v1::Job Fleet::WaitEnded(const std::string& id, absl::Duration timeout) {
  v1::Job job;
  const bool ended = WaitUntil([&] { return IsEnded((job = Get(id)).state()); }, timeout);
  EXPECT_TRUE(ended) << "job " << id << " has not ended: " << job.ShortDebugString();
  return job;
}

}  // namespace switchyard::e2e
