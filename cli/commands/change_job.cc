// cancel, stop and retry: one call that names a job and answers with it.

#include "cli/commands/commands.h"
#include "cli/format/job_text.h"
#include "cli/format/json.h"

namespace switchyard::cli {
namespace {

using Call = absl::StatusOr<v1::Job> (Client::*)(const std::string& id);

class ChangeJob final : public Command {
 public:
  ChangeJob(const char* name, const char* summary, Call call)
      : name_(name), summary_(summary), call_(call) {}
  std::string name() const override { return name_; }
  std::string summary() const override { return summary_; }
  void AddFlags(Flags& flags) override { flags.Text("JOB", &job_, "Job id", Need::kRequired); }
  absl::StatusOr<ExitCode> Run(Session& session) override {
    const absl::StatusOr<v1::Job> job = (session.client().*call_)(job_);
    if (!job.ok()) return job.status();
    session.out << (session.json ? ToJsonText(*job) : EndText(*job));
    return ExitCode::kOk;
  }

 private:
  const char* const name_;
  const char* const summary_;
  const Call call_;
  std::string job_;
};

}  // namespace

std::unique_ptr<Command> MakeCancel() {
  return std::make_unique<ChangeJob>("cancel", "End a job", &Client::CancelJob);
}

std::unique_ptr<Command> MakeStop() {
  return std::make_unique<ChangeJob>("stop", "Keep a checkpoint of a job and end it",
                                     &Client::StopJob);
}

std::unique_ptr<Command> MakeRetry() {
  return std::make_unique<ChangeJob>("retry", "Give an ended job its next attempt",
                                     &Client::RetryJob);
}

}  // namespace switchyard::cli
