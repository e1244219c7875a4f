#include "absl/time/clock.h"
#include "cli/commands/commands.h"
#include "cli/format/job_text.h"
#include "cli/format/json.h"

namespace switchyard::cli {
namespace {

class Show final : public Command {
 public:
  std::string name() const override { return "show"; }
  std::string summary() const override { return "All there is to say of one job"; }
  void AddFlags(Flags& flags) override { flags.Text("JOB", &job_, "Job id", Need::kRequired); }
  absl::StatusOr<ExitCode> Run(Session& session) override {
    const absl::StatusOr<v1::Job> job = session.client().GetJob(job_);
    if (!job.ok()) return job.status();
    session.out << (session.json ? ToJsonText(*job) : JobDetails(*job, absl::Now()));
    return ExitCode::kOk;
  }

 private:
  std::string job_;
};

}  // namespace

std::unique_ptr<Command> MakeShow() { return std::make_unique<Show>(); }

}  // namespace switchyard::cli
