#include "worker/runner/serve.h"

#include <google/protobuf/text_format.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <optional>
#include <system_error>
#include <thread>

#include "common/artifacts/open_store.h"
#include "common/config/text_config.h"
#include "common/log/log.h"
#include "worker/framing/frame.h"
#include "worker/report/report.h"
#include "worker/runner/attempt_runner.h"
#include "worker/runner/outbox.h"
#include "worker/runner/process.h"
#include "worker/runner/serving_budget.h"
#include "worker/runner/timers.h"
#include "worker/runner/watchdog.h"
#include "worker/tasks/registry.h"

namespace switchyard::worker {
namespace {

using ::switchyard::worker::v1::FromRunner;
using ::switchyard::worker::v1::Health;
using ::switchyard::worker::v1::RunnerHello;
using ::switchyard::worker::v1::ToRunner;

// Exit codes an operator meets in the daemon's log.
constexpr int kLeaseExpired = 75;  // EX_TEMPFAIL.
constexpr int kDaemonGone = 76;
constexpr int kAttemptStuck = 77;

// What the daemon wrote; the sandbox is beside this binary.
absl::StatusOr<std::optional<CommandSettings>> LoadCommandSettings(const std::string& file) {
  if (file.empty()) return std::nullopt;
  CommandSettings settings;
  if (absl::Status status = LoadTextConfig(file, &settings.policy); !status.ok()) return status;
  std::error_code error;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
  settings.sandbox = (self.parent_path() / "switchyard-sandbox").string();
  return settings;
}

FromRunner Hello(const DeviceHandle& device, const BackendDescription& description,
                 const ExecutorFactory& executors) {
  FromRunner frame;
  RunnerHello* hello = frame.mutable_hello();
  hello->set_pid(getpid());
  hello->set_libtorch_version(description.libtorch_version);
  hello->set_cuda_version(description.cuda_version);
  hello->set_device(device.device);
  hello->set_device_name(device.name);
  for (const std::string& kind : RegisteredKinds(executors)) hello->add_kinds(kind);
  return frame;
}

// Answers health checks on a thread of its own: a device that hangs must not keep frames from being
// read.
class HealthAnswerer {
 public:
  HealthAnswerer(Backend& backend, Outbox& outbox, ServingBudgetKeeper& models)
      : backend_(backend), outbox_(outbox), models_(models) {}

  void Check() {
    if (running_.exchange(true)) return;
    std::thread([this] {
      models_.Look();
      const absl::StatusOr<KernelRun> run = backend_.RunKernel();
      running_ = false;
      if (!run.ok()) {
        LogError("the device does not answer", {{"error", run.status().ToString()}});
        return;  // The daemon ends a runner that stays silent.
      }
      Health health;
      health.set_kernel_ns(absl::ToInt64Nanoseconds(run->took));
      health.set_memory_used_bytes(run->memory_used_bytes);
      outbox_.Answer(health);
    }).detach();
  }

 private:
  Backend& backend_;
  Outbox& outbox_;
  ServingBudgetKeeper& models_;
  std::atomic<bool> running_ = false;
};

}  // namespace

absl::Status Serve(const ServeOptions& options) {
  std::unique_ptr<Backend> backend = MakeBackend();
  const BackendDescription description = backend->Describe();
  if (absl::Status ready = backend->Prepare(options.device, options.limits); !ready.ok())
    return ready;
  config::v1::S3Store s3;
  if (!google::protobuf::TextFormat::ParseFromString(options.artifact_s3, &s3)) {
    return absl::InvalidArgumentError("--artifact-s3 is no S3Store: " + options.artifact_s3);
  }
  absl::StatusOr<std::unique_ptr<ArtifactStore>> artifacts =
      OpenArtifactStore(options.artifact_dir, s3);
  if (!artifacts.ok()) return artifacts.status();
  std::error_code error;
  std::filesystem::create_directories(options.work_dir, error);
  if (error) {
    return absl::FailedPreconditionError("cannot make the folder " + options.work_dir + ": " +
                                         error.message());
  }

  absl::StatusOr<std::optional<CommandSettings>> commands =
      LoadCommandSettings(options.command_policy);
  if (!commands.ok()) return commands.status();

  if (options.background) BecomeBackground();  // Before the first thread: threads inherit it.
  // What follows ends with the process and is never destroyed: threads of attempts may be anywhere
  // in it.
  Backend* const device = backend.release();
  Clock& clock = SystemClock();
  auto& sender = *new FrameSender(kSocketFd);
  auto& outbox = *new Outbox(sender, clock);
  auto& timers = *new Timers(clock);
  auto& surroundings = *new RunnerSurroundings{.artifacts = *artifacts->release(),
                                               .outbox = outbox,
                                               .clock = clock,
                                               .device = options.device,
                                               .work_dir = options.work_dir,
                                               .data_roots = options.data_roots,
                                               .meter = [device, own = options.own](int64_t limit) {
                                                 return device->NewAttempt(limit, own);
                                               }};
  auto& models = *new std::shared_ptr<ResidentModels>(MakeResidentModels());
  const ExecutorFactory executors = MakeExecutorFactory(models, *std::move(commands));
  auto& attempts = *new AttemptRunner(
      surroundings, timers, {.executor = executors, .timed_task = MakeTimedTask}, options.own, [] {
        LogError("an attempt does not end; ending the runner to free its place");
        EndProcess(kAttemptStuck);
      });
  auto& watchdog = *new LeaseWatchdog(
      clock, [&attempts] { return attempts.HoldsAttempts(); },
      [] {
        LogWarning("the leases expired without a renewal from the daemon; ending");
        EndProcess(kLeaseExpired);
      });
  auto& budget = *new ServingBudgetKeeper(models.get(), outbox);
  auto& health = *new HealthAnswerer(*device, outbox, budget);

  sender.Send(Hello(options.device, description, executors));
  FrameReader reader(kSocketFd);
  ToRunner frame;
  while (true) {
    const absl::StatusOr<bool> have = reader.Read(&frame);
    if (!have.ok() || !*have) EndProcess(attempts.HoldsAttempts() ? kDaemonGone : 0);
    if (frame.lease_expiry_boottime_ns() != 0) {
      watchdog.SetExpiry(static_cast<int64_t>(frame.lease_expiry_boottime_ns()));
    }
    if (frame.has_serving_budget()) budget.Obey(frame.serving_budget());
    attempts.Apply(frame);
    if (frame.check_health()) health.Check();
    if (frame.drain()) {
      attempts.WaitIdle();
      sender.Flush();
      return absl::OkStatus();
    }
  }
}

}  // namespace switchyard::worker
