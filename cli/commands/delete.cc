#include "cli/commands/commands.h"

namespace switchyard::cli {
namespace {

class Delete final : public Command {
 public:
  std::string name() const override { return "delete"; }
  std::string summary() const override { return "Remove ended jobs"; }
  void AddFlags(Flags& flags) override { flags.List("JOB", &jobs_, "Job ids", Need::kRequired); }
  absl::StatusOr<ExitCode> Run(Session& session) override {
    for (const std::string& job : jobs_) {
      if (absl::Status status = session.client().DeleteJob(job); !status.ok()) return status;
      if (!session.json) session.out << "job " << job << " is removed\n";
    }
    return ExitCode::kOk;
  }

 private:
  std::vector<std::string> jobs_;
};

}  // namespace

std::unique_ptr<Command> MakeDelete() { return std::make_unique<Delete>(); }

}  // namespace switchyard::cli
