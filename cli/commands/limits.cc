#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "cli/commands/commands.h"
#include "cli/format/fleet_text.h"
#include "cli/format/json.h"

namespace switchyard::cli {
namespace {

ExitCode Print(Session& session, const v1::Limits& limits) {
  session.out << (session.json ? ToJsonText(limits) : LimitsTable(limits));
  return ExitCode::kOk;
}

// Which limit is meant.
struct LimitFlags {
  std::string job_class, worker, device;

  void Add(Flags& flags) {
    flags.Text("CLASS", &job_class, "training, inference or general", Need::kRequired);
    flags.Text("--worker", &worker, "Only this worker (default: every)");
    flags.Text("--device", &device, "cpu, cuda or cuda:N (default: every)");
  }
  absl::StatusOr<v1::Limit> Parse() const {
    v1::Limit limit;
    v1::JobClass parsed = v1::JOB_CLASS_UNSPECIFIED;
    if (!v1::JobClass_Parse(absl::AsciiStrToUpper(job_class), &parsed)) {
      return absl::InvalidArgumentError(
          absl::StrCat("CLASS: \"", job_class, "\" is unknown: training, inference or general"));
    }
    limit.set_job_class(parsed);
    limit.set_worker(worker);
    limit.set_device(device);
    return limit;
  }
};

class LimitsShow final : public Command {
 public:
  std::string name() const override { return "limits show"; }
  std::string summary() const override { return "Limits in force"; }
  void AddFlags(Flags&) override {}
  absl::StatusOr<ExitCode> Run(Session& session) override {
    const absl::StatusOr<v1::Limits> limits = session.client().GetLimits();
    if (!limits.ok()) return limits.status();
    return Print(session, *limits);
  }
};

class LimitsSet final : public Command {
 public:
  std::string name() const override { return "limits set"; }
  std::string summary() const override {
    return "Set how many attempts of a class may run; at once and for good";
  }
  void AddFlags(Flags& flags) override {
    limit_.Add(flags);
    flags.Number("--max", &max_, "Attempts running at once; 0 keeps the class off the device");
  }
  absl::StatusOr<ExitCode> Run(Session& session) override {
    if (!max_.has_value()) return absl::InvalidArgumentError("--max is required");
    absl::StatusOr<v1::Limit> limit = limit_.Parse();
    if (!limit.ok()) return limit.status();
    limit->set_max_running(static_cast<uint32_t>(*max_));
    v1::UpdateLimitsRequest request;
    *request.mutable_limits()->add_limits() = *std::move(limit);
    request.set_request_id(NewRequestId());
    const absl::StatusOr<v1::Limits> limits = session.client().UpdateLimits(request);
    if (!limits.ok()) return limits.status();
    return Print(session, *limits);
  }

 private:
  LimitFlags limit_;
  std::optional<uint64_t> max_;
};

class LimitsClear final : public Command {
 public:
  std::string name() const override { return "limits clear"; }
  std::string summary() const override { return "Remove a limit: the default holds again"; }
  void AddFlags(Flags& flags) override { limit_.Add(flags); }
  absl::StatusOr<ExitCode> Run(Session& session) override {
    absl::StatusOr<v1::Limit> limit = limit_.Parse();
    if (!limit.ok()) return limit.status();
    v1::UpdateLimitsRequest request;
    *request.add_clear() = *std::move(limit);
    request.set_request_id(NewRequestId());
    const absl::StatusOr<v1::Limits> limits = session.client().UpdateLimits(request);
    if (!limits.ok()) return limits.status();
    return Print(session, *limits);
  }

 private:
  LimitFlags limit_;
};

}  // namespace

std::unique_ptr<Command> MakeLimitsShow() { return std::make_unique<LimitsShow>(); }
std::unique_ptr<Command> MakeLimitsSet() { return std::make_unique<LimitsSet>(); }
std::unique_ptr<Command> MakeLimitsClear() { return std::make_unique<LimitsClear>(); }

}  // namespace switchyard::cli
