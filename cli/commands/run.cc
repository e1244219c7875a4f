// Runs a program of the caller's own as a job: `switchyard run python3 -- train.py --epochs 3`.
#include <filesystem>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "cli/commands/commands.h"
#include "cli/commands/job_flags.h"
#include "cli/commands/upload.h"
#include "cli/format/units.h"
#include "common/hash/sha256.h"

namespace switchyard::cli {
namespace {

namespace fs = std::filesystem;

absl::Status NotThatForm(const char* flag, const std::string& text, const char* form) {
  return absl::InvalidArgumentError(absl::StrCat(flag, ": \"", text, "\" is not ", form));
}

class RunProgram final : public Command {
 public:
  std::string name() const override { return "run"; }
  std::string summary() const override { return "Run a program of your own on a device"; }

  void AddFlags(Flags& flags) override {
    flags.Text("PROGRAM", &program_, "Name of a program that the workers list", Need::kRequired);
    flags.List("ARGUMENTS", &arguments_, "Its arguments, after --");
    flags.List(
        "--in", &inputs_,
        "FILE[:PATH], FOLDER[:PATH] or HASH:PATH, put into the work folder; may be repeated");
    flags.List("--out", &outputs_, "NAME=PATH, kept as an artifact; may be repeated");
    flags.List("--env", &environment_, "NAME=VALUE; may be repeated");
    flags.Number("--gpus", &gpus_, "GPUs it needs at the same time");
    flags.Switch("--network", &network_, "With the host's network");
    flags.Text("--memory", &memory_, "Most host memory: 512MB, 8GB");
    flags.Text("--cpu-time", &cpu_time_, "Most processor time: 90s, 2h");
    flags.Text("--chdir", &folder_, "Folder it starts in, inside the work folder");
    flags.Text("--stop-grace", &stop_grace_, "Time to checkpoint when stopped (default 30s)");
    flags.List("--retry-on", &retry_on_, "Exit code that is worth another attempt (default 75)");
    job_flags_.Add(flags);
  }

  absl::StatusOr<ExitCode> Run(Session& session) override {
    v1::Job job;
    v1::CommandSpec* const spec = job.mutable_command();
    spec->set_program(program_);
    for (const std::string& argument : arguments_) spec->add_arguments(argument);
    spec->set_network(network_);
    spec->set_working_directory(folder_);
    if (gpus_.has_value()) {
      job.set_device("cuda");
      job.set_device_count(static_cast<uint32_t>(*gpus_));
    }
    absl::Status status = FillLists(spec);
    if (status.ok()) status = FillBounds(spec);
    for (const std::string& input : inputs_) {
      if (status.ok()) status = AddInput(session, input, spec);
    }
    if (!status.ok()) return status;
    return job_flags_.Submit(session, std::move(job));
  }

 private:
  absl::Status FillLists(v1::CommandSpec* spec) const {
    for (const std::string& text : environment_) {
      const size_t equals = text.find('=');
      if (equals == std::string::npos) return NotThatForm("--env", text, "NAME=VALUE");
      (*spec->mutable_environment())[text.substr(0, equals)] = text.substr(equals + 1);
    }
    for (const std::string& text : outputs_) {
      const size_t equals = text.find('=');
      if (equals == std::string::npos) return NotThatForm("--out", text, "NAME=PATH");
      v1::CommandOutput* const output = spec->add_outputs();
      output->set_name(text.substr(0, equals));
      output->set_path(text.substr(equals + 1));
    }
    for (const std::string& text : retry_on_) {
      uint32_t code = 0;
      if (!absl::SimpleAtoi(text, &code)) return NotThatForm("--retry-on", text, "an exit code");
      spec->add_retry_exit_codes(code);
    }
    return absl::OkStatus();
  }

  absl::Status FillBounds(v1::CommandSpec* spec) const {
    const auto duration = [](const char* flag, const std::string& text,
                             google::protobuf::Duration* into) {
      const absl::StatusOr<absl::Duration> parsed = ParseDurationText(flag, text);
      if (parsed.ok()) *into = ToProto(*parsed);
      return parsed.status();
    };
    absl::Status status;
    if (!cpu_time_.empty())
      status.Update(duration("--cpu-time", cpu_time_, spec->mutable_cpu_time()));
    if (!stop_grace_.empty())
      status.Update(duration("--stop-grace", stop_grace_, spec->mutable_stop_grace()));
    if (memory_.empty() || !status.ok()) return status;
    const absl::StatusOr<uint64_t> bytes = ParseBytesText("--memory", memory_);
    if (bytes.ok()) spec->set_memory_limit_bytes(*bytes);
    return bytes.status();
  }

  // A folder goes as an archive that is unpacked there.
  absl::Status AddInput(Session& session, const std::string& text, v1::CommandSpec* spec) const {
    std::error_code error;
    std::string source = text, place;
    if (const size_t colon = text.rfind(':'); !fs::exists(text, error) && colon != text.npos) {
      source = text.substr(0, colon);
      place = text.substr(colon + 1);
    }
    v1::CommandInput* const input = spec->add_inputs();
    const bool here = fs::exists(source, error);
    if (!here && (!IsSha256Hex(source) || place.empty())) {
      return absl::NotFoundError(absl::StrCat("--in: there is no file or folder ", source,
                                              " here, and an artifact is HASH:PATH"));
    }
    fs::path shown = fs::path(source).lexically_normal();
    if (!shown.has_filename()) shown = shown.parent_path();  // `data/` is `data`.
    const std::string own_name = shown.filename().string();
    input->set_path(!place.empty() ? place : own_name.empty() || own_name == "." ? "." : own_name);
    input->set_unpack(here && fs::is_directory(source, error));
    if (!here) {
      input->set_artifact(source);
      return absl::OkStatus();
    }
    const absl::StatusOr<v1::Artifact> artifact =
        Upload(session, source, "application/octet-stream");
    if (artifact.ok()) input->set_artifact(artifact->sha256());
    return artifact.status();
  }

  std::string program_, folder_, memory_, cpu_time_, stop_grace_;
  std::vector<std::string> arguments_, inputs_, outputs_, environment_, retry_on_;
  std::optional<uint64_t> gpus_;
  bool network_ = false;
  JobFlags job_flags_;
};

}  // namespace

std::unique_ptr<Command> MakeRun() { return std::make_unique<RunProgram>(); }

}  // namespace switchyard::cli
