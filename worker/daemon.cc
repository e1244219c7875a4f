#include "worker/daemon.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/artifacts/open_store.h"
#include "common/lifecycle/address_file.h"
#include "common/log/log.h"
#include "common/metrics/metrics_page.h"
#include "common/net/address.h"
#include "google/protobuf/text_format.h"
#include "worker/agent/agent_metrics.h"
#include "worker/daemon_config.h"
#include "worker/device/cgroup.h"
#include "worker/tasks/command/policy.h"

namespace switchyard::worker {
namespace {

using ::switchyard::config::v1::WorkerConfig;

// Runners of a killed daemon hold its lock until the kernel has ended them.
constexpr absl::Duration kLockWait = absl::Seconds(5);
// How late a kill or an expiry may be.
constexpr absl::Duration kLongestTick = absl::Milliseconds(100);
// How often the host is looked at: processor use is a mean over it.
constexpr absl::Duration kMeasureInterval = absl::Seconds(3);
// How long the end waits for acknowledgements.
constexpr absl::Duration kAcknowledgeWait = absl::Seconds(2);

std::string RandomIncarnation() {
  std::random_device random;
  return absl::StrFormat("%08x%08x", random(), random());
}

void Sleep(absl::Duration duration) {
  std::this_thread::sleep_for(absl::ToChronoNanoseconds(duration));
}

absl::StatusOr<std::unique_ptr<DirectoryLock>> LockDataDir(const std::string& directory) {
  const absl::Duration until = SystemClock().BootTime() + kLockWait;
  while (true) {
    auto lock = DirectoryLock::Acquire(directory);
    if (lock.ok() || SystemClock().BootTime() >= until) return lock;
    Sleep(absl::Milliseconds(50));
  }
}

// What gRPC calls the address.
std::string GrpcTarget(const std::string& address) {
  const absl::StatusOr<Address> parsed = ParseAddress(address);
  return parsed.ok() ? parsed->ToString() : address;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Daemon>> Daemon::Start(const WorkerConfig& config,
                                                      const std::string& version) {
  std::unique_ptr<Daemon> daemon(new Daemon(config));
  absl::StatusOr<std::unique_ptr<DirectoryLock>> lock = LockDataDir(config.data_dir());
  if (!lock.ok()) return lock.status();
  daemon->lock_ = *std::move(lock);
  absl::StatusOr<DriveDevice> drive = DiscoverDevice(config);
  if (!drive.ok()) return drive.status();
  absl::StatusOr<std::unique_ptr<ArtifactStore>> artifacts =
      OpenArtifactStore(config.artifact_dir(), config.artifact_s3());
  if (!artifacts.ok()) return artifacts.status();
  daemon->artifacts_ = *std::move(artifacts);

  absl::StatusOr<std::string> commands = daemon->WriteCommandPolicy(*drive);
  if (!commands.ok()) return commands.status();
  daemon->Assemble(*drive, *commands, version);
  if (absl::Status admin = daemon->StartAdmin(version); !admin.ok()) return admin;
  daemon->Run();
  LogInfo("worker started", {{"worker", config.id()},
                             {"device", drive->device.device()},
                             {"name", drive->device.name()},
                             {"memory_bytes", drive->device.memory_total_bytes()},
                             {"threads", drive->handle.threads}});
  return daemon;
}

absl::StatusOr<std::string> Daemon::WriteCommandPolicy(const DriveDevice& drive) const {
  if (config_.commands().programs().empty()) return "";
  CommandPolicy policy = config_.commands();
  std::vector<FieldViolation> faults;
  CompleteCommandPolicy(static_cast<uint64_t>(drive.runner_memory_bytes), &policy, &faults);
  if (!faults.empty()) return InvalidFields(faults);
  const std::string path = config_.data_dir() + "/commands.textproto";
  std::string text;
  google::protobuf::TextFormat::PrintToString(policy, &text);
  std::ofstream out(path, std::ios::trunc);
  out << "# Written by the worker at every start, for its runners.\n" << text;
  out.close();
  if (!out) return absl::FailedPreconditionError(absl::StrCat("cannot write ", path));
  return path;
}

void Daemon::Assemble(const DriveDevice& drive, const std::string& command_policy,
                      const std::string& version) {
  // Scratch folders of attempts that ended with an earlier daemon.
  const std::string work_dir = config_.data_dir() + "/work";
  std::error_code ignored;
  std::filesystem::remove_all(work_dir, ignored);

  supervisor_ = std::make_unique<Supervisor>(
      SupervisorOptions{.runner = config_.runner(),
                        .device = drive.handle,
                        .memory_bytes = drive.runner_memory_bytes,
                        .artifact_dir = config_.artifact_dir(),
                        .artifact_s3 = config_.artifact_s3(),
                        .work_dir = work_dir,
                        .data_roots = {config_.data_roots().begin(), config_.data_roots().end()},
                        .command_policy = command_policy,
                        .environment = drive.environment,
                        .lock_fd = lock_->fd(),
                        .oom_kills = CountOomKills});
  host_ = std::make_unique<HostMeter>(LedgerId(), drive.host_memory_bytes, config_);
  segments_ = std::make_unique<ArtifactSegmentStore>(*artifacts_);
  AgentOptions options{.worker = config_.id(),
                       .incarnation = RandomIncarnation(),
                       .host = HostName(),
                       .version = version,
                       .device = drive.device};
  options.device.set_worker(config_.id());
  agent_ = std::make_unique<Agent>(std::move(options), *supervisor_, *segments_, SystemClock(),
                                   [this] { client_->Wake(); });
  std::vector<std::string> schedulers;
  for (const std::string& address : config_.scheduler()) schedulers.push_back(GrpcTarget(address));
  client_ = std::make_unique<AttachClient>(schedulers, *agent_, SystemClock());
  supervisor_->set_events(agent_.get());
}

void Daemon::MeasureHost() {
  const absl::Duration now = SystemClock().BootTime();
  if (now < next_measure_) return;
  next_measure_ = now + kMeasureInterval;
  agent_->SetHostFigures(host_->Take(ReadHost(), now));
}

void Daemon::Run() {
  MeasureHost();
  agent_->Begin();
  client_->Start();
  timekeeper_ = std::thread([this] { KeepTime(); });
}

absl::Status Daemon::StartAdmin(const std::string& version) {
  if (config_.admin_listen().empty()) return absl::OkStatus();
  AdminOptions options{
      .listen = config_.admin_listen(),
      .metrics = {MakeProcessMetrics("switchyard-worker", version), MakeAgentMetrics(*agent_)},
      .ready = [this] {
        const AgentFigures figures = agent_->Figures();
        if (figures.draining) return absl::UnavailableError("the worker is being shut down");
        if (!figures.ready) return absl::UnavailableError("the serving runner does not answer");
        if (!figures.attached) return absl::UnavailableError("not attached to the scheduler");
        return absl::OkStatus();
      }};
  absl::StatusOr<std::unique_ptr<AdminServer>> server = AdminServer::Start(std::move(options));
  if (!server.ok()) return server.status();
  admin_ = *std::move(server);
  return WriteAddressFile(config_.address_file(), {{"admin", admin_->address()}});
}

void Daemon::KeepTime() {
  while (!stopping_) {
    Sleep(std::clamp(agent_->Tick(), absl::Milliseconds(1), kLongestTick));
    MeasureHost();
  }
}

void Daemon::Drain() {
  LogInfo("draining", {{"drain_seconds", config_.drain_seconds()}});
  agent_->BeginDrain();
  const absl::Duration until = SystemClock().BootTime() + absl::Seconds(config_.drain_seconds());
  while (agent_->Working() && SystemClock().BootTime() < until) Sleep(absl::Milliseconds(10));
  agent_->EndDrain();
  const absl::Duration acknowledged_by = SystemClock().BootTime() + kAcknowledgeWait;
  while (agent_->Unacknowledged() && SystemClock().BootTime() < acknowledged_by)
    Sleep(absl::Milliseconds(10));
}

Daemon::~Daemon() {
  stopping_ = true;
  if (timekeeper_.joinable()) timekeeper_.join();
  admin_.reset();
  if (client_ != nullptr) client_->Stop();
  if (supervisor_ != nullptr) supervisor_->Stop();
  // Its waiting callbacks go to the agent.
  segments_.reset();
}

}  // namespace switchyard::worker
