#include "cli/commands/commands.h"
#include "cli/commands/follow.h"
#include "cli/format/job_text.h"

namespace switchyard::cli {
namespace {

class Logs final : public Command {
 public:
  std::string name() const override { return "logs"; }
  std::string summary() const override { return "A job's log, so far and (with -f) as it goes on"; }
  void AddFlags(Flags& flags) override {
    flags.Text("JOB", &job_, "Job id", Need::kRequired);
    flags.Switch("-f,--follow", &follow_, "Go on until the job has ended");
  }
  absl::StatusOr<ExitCode> Run(Session& session) override {
    const FollowOptions options{.logs = true, .bar = false};
    if (follow_) {
      const absl::StatusOr<v1::Job> job = FollowJob(session, job_, options);
      if (!job.ok()) return job.status();
      return ExitCode::kOk;
    }
    return PrintSoFar(session, options);
  }

 private:
  // A running job's stream does not end; what there is comes at once, so a pause means that was
  // all. An ended job's stream ends by itself.
  absl::StatusOr<ExitCode> PrintSoFar(Session& session, FollowOptions options) const {
    const absl::StatusOr<v1::Job> job = session.client().GetJob(job_);
    if (!job.ok()) return job.status();
    EventPrinter printer(session, options);
    v1::WatchJobRequest request;
    request.set_job(job_);
    const absl::Status status = session.client().WatchJob(
        request, [&](const v1::JobEvent& event) { return printer.Print(event), true; },
        IsEnded(job->state()) ? absl::InfiniteDuration() : absl::Seconds(1));
    printer.Finish();
    if (!status.ok() && !absl::IsDeadlineExceeded(status)) return status;
    return ExitCode::kOk;
  }

  std::string job_;
  bool follow_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeLogs() { return std::make_unique<Logs>(); }

}  // namespace switchyard::cli
