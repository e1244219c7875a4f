#include "cli/commands/commands.h"
#include "cli/format/job_text.h"
#include "cli/format/json.h"

namespace switchyard::cli {
namespace {

class Cancel final : public Command {
 public:
  std::string name() const override { return "cancel"; }
  std::string summary() const override { return "End a job"; }
  void AddFlags(Flags& flags) override { flags.Text("JOB", &job_, "Job id", Need::kRequired); }
  absl::StatusOr<ExitCode> Run(Session& session) override {
    const absl::StatusOr<v1::Job> job = session.client().CancelJob(job_);
    if (!job.ok()) return job.status();
    session.out << (session.json ? ToJsonText(*job) : EndText(*job));
    return ExitCode::kOk;
  }

 private:
  std::string job_;
};

}  // namespace

std::unique_ptr<Command> MakeCancel() { return std::make_unique<Cancel>(); }

}  // namespace switchyard::cli
