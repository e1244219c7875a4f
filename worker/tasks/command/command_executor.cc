#include "worker/tasks/command/command_executor.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <system_error>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "worker/report/report.h"
#include "worker/sandbox/file_system.h"
#include "worker/tasks/command/command_output.h"
#include "worker/tasks/command/command_result.h"
#include "worker/tasks/command/control_group.h"
#include "worker/tasks/command/environment.h"
#include "worker/tasks/command/host_paths.h"
#include "worker/tasks/command/sandbox_process.h"
#include "worker/tasks/command/uid_lease.h"
#include "worker/tasks/command/work_files.h"

namespace switchyard::worker {
namespace {

namespace fs = std::filesystem;
using ::switchyard::worker::v1::Assignment;
using ::switchyard::worker::v1::SandboxPlan;
using ::switchyard::worker::v1::SandboxReport;

constexpr absl::Duration kLook = absl::Milliseconds(50);  // Between looks at cancel and stop.
// Between SIGTERM and SIGKILL of a cancel: the daemon ends this runner after 0.8 s.
constexpr absl::Duration kCancelGrace = absl::Milliseconds(600);
constexpr absl::Duration kCheckpointPause = absl::Seconds(5);  // Between `::checkpoint` heeded.

// Gives the folder and all in it to `uid`. Before the program runs, so there are no links.
absl::Status GiveTo(uid_t uid, const std::string& folder) {
  std::error_code error;
  if (lchown(folder.c_str(), uid, uid) != 0) return FileError(errno, "give away", folder);
  for (const auto& entry : fs::recursive_directory_iterator(folder, error)) {
    if (lchown(entry.path().c_str(), uid, uid) != 0)
      return FileError(errno, "give away", entry.path().string());
  }
  return absl::OkStatus();
}

absl::Status MakeFolder(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  return error ? FileError(error.value(), "make", path) : absl::OkStatus();
}

class CommandExecutor final : public Executor {
 public:
  CommandExecutor(CommandSettings settings, Clock& clock)
      : settings_(std::move(settings)), clock_(clock) {}

  absl::Status Prepare(AttemptContext& context, const api::Job& job,
                       const Assignment& assignment) override {
    spec_ = job.command();
    const CommandPolicy& policy = settings_.policy;
    const absl::StatusOr<const CommandPolicy::Program*> program =
        FindProgram(policy, spec_.program());
    if (!program.ok()) return program.status();
    absl::Status status = CheckAgainstPolicy(policy, **program, spec_);
    if (status.ok()) status = CheckGang(assignment);
    if (status.ok()) status = MakeFolders(context);
    if (status.ok()) status = FetchFiles(context, assignment);
    if (!status.ok()) return status;
    MakePlan(context, job, assignment, **program);
    if (absl::Status user = TakeUser(); !user.ok()) return user;
    return MakeGroup(assignment);
  }

  absl::StatusOr<api::Job> Run(AttemptContext& context) override {
    absl::StatusOr<SandboxProcess> process = SandboxProcess::Start(settings_.sandbox, plan_);
    if (!process.ok()) return process.status();
    CommandOutputs outputs(context, clock_);
    const bool asked_to_stop = Follow(context, *process, outputs);
    outputs.Finish();
    if (context.Cancelled()) return absl::CancelledError("the command was cancelled");
    if (!process->report().has_value())
      return absl::UnavailableError("the sandbox was ended from outside; see the worker's log");
    SandboxReport report = *process->report();
    if (group_.has_value()) AskGroup(&report);
    const bool started =
        report.end() != SandboxReport::GUARD_FAILED && report.end() != SandboxReport::START_FAILED;
    NotePeak(context, report);
    if (asked_to_stop && started) return Stopped(context, report, outputs);
    const absl::Status end = StatusOfEnd(spec_, plan_, report, outputs.last_error_line());
    if (!end.ok()) return end;
    if (absl::Status stored = StoreOutputs(context, outputs); !stored.ok()) return stored;
    return MakeResult(report, outputs);
  }

 private:
  // Members that cannot reach each other would wait for ever.
  absl::Status CheckGang(const Assignment& assignment) const {
    if (assignment.gang().members() < 2 || spec_.network()) return absl::OkStatus();
    return MakeError(absl::StatusCode::kFailedPrecondition, "GANG_NEEDS_NETWORK",
                     "the job runs on several workers, which meet over the network; submit it with "
                     "network: true (--network), which needs the scope commands.network");
  }

  absl::Status MakeFolders(AttemptContext& context) {
    const std::string& scratch = context.work_dir();
    plan_.set_work_folder(scratch + "/files");
    plan_.set_temporary_folder(scratch + "/tmp");
    plan_.set_root_folder(scratch + "/root");
    absl::Status status;
    for (const std::string& folder :
         {plan_.work_folder(), plan_.temporary_folder(), plan_.root_folder(),
          plan_.work_folder() + "/checkpoint",
          absl::StrCat(plan_.work_folder(), "/", spec_.working_directory())}) {
      status.Update(MakeFolder(folder));
    }
    files_.emplace(context.artifacts(), plan_.work_folder(), scratch,
                   settings_.policy.artifact_bytes(), [&context] { return context.Cancelled(); });
    return status;
  }

  absl::Status FetchFiles(AttemptContext& context, const Assignment& assignment) {
    for (const api::CommandInput& input : spec_.inputs()) {
      if (context.Cancelled()) return absl::CancelledError("the command was cancelled");
      if (absl::Status status = files_->Fetch(input); !status.ok()) return status;
    }
    if (assignment.resume_from().empty()) return absl::OkStatus();
    return files_->RestoreCheckpoint(assignment.resume_from());
  }

  void MakePlan(const AttemptContext& context, const api::Job& job, const Assignment& assignment,
                const CommandPolicy::Program& program) {
    const CommandPolicy& policy = settings_.policy;
    const DeviceHandle& device = context.device();
    for (const SandboxPlan::Guard guard : GuardsFor(policy, spec_)) plan_.add_guards(guard);
    plan_.set_program(program.path());
    plan_.add_arguments(program.path());
    for (const std::string& argument : program.arguments()) plan_.add_arguments(argument);
    for (const std::string& argument : spec_.arguments()) plan_.add_arguments(argument);
    const bool own = policy.guards().mounts() != CommandPolicy::OFF;
    const ProgramFolders folders{own ? sandbox::kWorkFolder : plan_.work_folder(),
                                 own ? sandbox::kTemporaryFolder : plan_.temporary_folder()};
    for (std::string& entry : MakeEnvironment(program, job, assignment, device, folders))
      plan_.add_environment(std::move(entry));
    plan_.set_working_directory(spec_.working_directory());
    const bool gpu = absl::StartsWith(device.device, "cuda");
    for (std::string& path : SystemPaths(spec_.network(), gpu))
      plan_.add_system_paths(std::move(path));
    for (const std::string& path : program.read_paths()) plan_.add_read_paths(path);
    plan_.add_read_paths(program.path());
    for (std::string& file : DeviceFiles(device)) plan_.add_devices(std::move(file));
    SetBounds(policy, job, device);
  }

  void SetBounds(const CommandPolicy& policy, const api::Job& job, const DeviceHandle& device) {
    uint64_t memory =
        spec_.memory_limit_bytes() != 0 ? spec_.memory_limit_bytes() : policy.memory_bytes();
    // What the job said it needs holds on a cpu device. What was learned of others of its name does
    // not: the same script on other data is other work.
    if (device.device == "cpu" && job.memory_bytes() > 0)
      memory = std::min(memory, static_cast<uint64_t>(job.memory_bytes()));
    plan_.set_memory_bytes(memory);
    const absl::Duration most =
        policy.has_cpu_time() ? DurationFrom(policy.cpu_time()) : absl::InfiniteDuration();
    const absl::Duration asked =
        spec_.has_cpu_time() ? DurationFrom(spec_.cpu_time()) : absl::InfiniteDuration();
    if (const absl::Duration cpu = std::min(most, asked); cpu != absl::InfiniteDuration())
      plan_.set_cpu_ms(
          std::max<uint64_t>(1, static_cast<uint64_t>(absl::ToInt64Milliseconds(cpu))));
    plan_.set_processes(policy.processes());
    plan_.set_open_files(policy.open_files());
    plan_.set_file_bytes(policy.file_bytes());
  }

  // Root never runs a program as itself, unless told to.
  absl::Status TakeUser() {
    const CommandPolicy& policy = settings_.policy;
    if (geteuid() != 0 || policy.guards().user() == CommandPolicy::OFF) return absl::OkStatus();
    absl::StatusOr<UidLease> lease = UidLease::Take(policy.first_uid(), policy.uid_count());
    if (!lease.ok()) return lease.status();
    plan_.set_uid(lease->uid());
    uid_.emplace(std::move(*lease));
    for (const std::string& folder : {plan_.work_folder(), plan_.temporary_folder()}) {
      if (absl::Status status = GiveTo(plan_.uid(), folder); !status.ok()) return status;
    }
    return absl::OkStatus();
  }

  // What was done by the time of a stop; preempted, the job goes on in a later attempt instead.
  absl::StatusOr<api::Job> Stopped(AttemptContext& context, const SandboxReport& report,
                                   const CommandOutputs& outputs) {
    if (absl::Status kept = KeepCheckpoint(context); !kept.ok()) return kept;
    if (context.Preempted())
      return absl::CancelledError("the command gave its device to more urgent work");
    context.EndsEarly();
    return MakeResult(report, outputs);
  }

  // A device's memory is the host's only on a cpu device; what a program takes of a GPU is its own
  // affair and nothing the worker sees.
  void NotePeak(AttemptContext& context, const SandboxReport& report) const {
    if (context.device().device == "cpu")
      context.NoteMemoryPeak(static_cast<int64_t>(report.peak_memory_bytes()));
  }

  // Where the operator delegated a control group, it is what enforces the memory.
  absl::Status MakeGroup(const Assignment& assignment) {
    const CommandPolicy& policy = settings_.policy;
    if (policy.cgroup().empty() || policy.guards().memory() == CommandPolicy::OFF)
      return absl::OkStatus();
    const auto& ref = assignment.ref();
    const std::string name = absl::StrCat("switchyard-", ref.job(), ".", ref.attempt(), ".",
                                          ref.fencing().epoch(), ".", ref.fencing().counter());
    absl::StatusOr<ControlGroup> group =
        ControlGroup::Make(policy.cgroup(), name, plan_.memory_bytes());
    if (!group.ok()) {
      SandboxReport report;
      report.set_end(SandboxReport::GUARD_FAILED);
      report.set_guard(SandboxPlan::MEMORY);
      report.set_message(std::string(group.status().message()));
      return StatusOfEnd(spec_, plan_, report, "");
    }
    plan_.set_cgroup(group->path());
    group_.emplace(*std::move(group));
    return absl::OkStatus();
  }

  void AskGroup(SandboxReport* report) const {
    if (const uint64_t peak = group_->PeakBytes(); peak != 0) report->set_peak_memory_bytes(peak);
    if (report->end() == SandboxReport::ENDED && report->signal() == SIGKILL &&
        group_->RanOutOfMemory())
      report->set_end(SandboxReport::OUT_OF_MEMORY);
  }

  // Until the end, passing a cancel or stop on. True when it was asked to stop.
  bool Follow(AttemptContext& context, SandboxProcess& process, CommandOutputs& outputs) {
    absl::Duration kill_at = absl::InfiniteDuration();
    bool asked = false;
    const auto output = [&outputs](Stream stream, absl::string_view bytes) {
      outputs.Add(stream, bytes);
    };
    while (process.Poll(kLook, output)) {
      const absl::Duration now = clock_.BootTime();
      if (!asked && (context.Cancelled() || context.StopRequested())) {
        asked = true;
        process.Terminate();
        if (!context.Cancelled()) context.SetPhase(api::Job::CHECKPOINTING);
        // A fifth of what the daemon gives is kept to store the checkpoint in.
        kill_at = now + std::min(DurationFrom(spec_.stop_grace()), context.GraceLeft() * 0.8);
      }
      if (context.Cancelled()) kill_at = std::min(kill_at, now + kCancelGrace);
      if (now >= kill_at) process.Kill();
      if (outputs.TakeCheckpointWish() && !asked) HeedCheckpoint(context, now);
    }
    return asked;
  }

  void HeedCheckpoint(AttemptContext& context, absl::Duration now) {
    if (now < next_checkpoint_) return;
    next_checkpoint_ = now + kCheckpointPause;
    if (absl::Status kept = KeepCheckpoint(context); !kept.ok() && !context.Cancelled())
      context.Log(api::LogLine::WARNING, kept.message());
  }

  absl::Status KeepCheckpoint(AttemptContext& context) {
    absl::StatusOr<api::OutputArtifact> checkpoint = files_->StoreCheckpoint();
    if (!checkpoint.ok()) return checkpoint.status();
    if (!checkpoint->sha256().empty()) context.ReportCheckpoint(*std::move(checkpoint));
    return absl::OkStatus();
  }

  absl::Status StoreOutputs(AttemptContext& context, const CommandOutputs& outputs) {
    std::vector<api::CommandOutput> all(spec_.outputs().begin(), spec_.outputs().end());
    all.insert(all.end(), outputs.declared().begin(), outputs.declared().end());
    for (const api::CommandOutput& output : all) {
      absl::StatusOr<std::vector<api::OutputArtifact>> stored = files_->Store(output);
      if (!stored.ok()) return stored.status();
      for (api::OutputArtifact& artifact : *stored) context.AddOutput(std::move(artifact));
    }
    return absl::OkStatus();
  }

  api::Job MakeResult(const SandboxReport& report, const CommandOutputs& outputs) const {
    api::Job job;
    api::CommandResult& result = *job.mutable_command_result();
    result.set_exit_code(report.exit_code());
    result.set_signal(report.signal());
    *result.mutable_cpu_time() =
        DurationOf(absl::Milliseconds(static_cast<int64_t>(report.cpu_ms())));
    result.set_peak_memory_bytes(report.peak_memory_bytes());
    result.set_dropped_lines(outputs.dropped_lines());
    for (const int guard : plan_.guards())
      result.add_guards(GuardName(static_cast<SandboxPlan::Guard>(guard)));
    return job;
  }

  const CommandSettings settings_;
  Clock& clock_;
  api::CommandSpec spec_;
  SandboxPlan plan_;
  std::optional<WorkFiles> files_;
  std::optional<UidLease> uid_;
  std::optional<ControlGroup> group_;
  absl::Duration next_checkpoint_ = absl::ZeroDuration();
};

}  // namespace

std::unique_ptr<Executor> MakeCommandExecutor(CommandSettings settings, Clock& clock) {
  return std::make_unique<CommandExecutor>(std::move(settings), clock);
}

}  // namespace switchyard::worker
