#include "cli/commands/commands.h"
#include "cli/commands/follow.h"

namespace switchyard::cli {
namespace {

class Watch final : public Command {
 public:
  std::string name() const override { return "watch"; }
  std::string summary() const override {
    return "Follow a job live: state, progress, logs, figures";
  }
  void AddFlags(Flags& flags) override {
    flags.Text("JOB", &job_, "Job id", Need::kRequired);
    flags.Switch("--no-logs", &no_logs_, "Leave the job's log out");
  }
  absl::StatusOr<ExitCode> Run(Session& session) override {
    return FollowToEnd(session, job_, {.logs = !no_logs_, .bar = true});
  }

 private:
  std::string job_;
  bool no_logs_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeWatch() { return std::make_unique<Watch>(); }

}  // namespace switchyard::cli
