#include "absl/time/clock.h"
#include "cli/commands/commands.h"
#include "cli/format/explanation_text.h"
#include "cli/format/json.h"

namespace switchyard::cli {
namespace {

class Why final : public Command {
 public:
  explicit Why(const char* name) : name_(name) {}
  std::string name() const override { return name_; }
  std::string summary() const override {
    return "Why a job waits, its position, and when it is expected to start";
  }
  void AddFlags(Flags& flags) override { flags.Text("JOB", &job_, "Job id", Need::kRequired); }
  absl::StatusOr<ExitCode> Run(Session& session) override {
    const absl::StatusOr<v1::Explanation> explanation = session.client().ExplainJob(job_);
    if (!explanation.ok()) return explanation.status();
    session.out << (session.json ? ToJsonText(*explanation)
                                 : ExplanationText(*explanation, absl::Now()));
    return ExitCode::kOk;
  }

 private:
  const char* const name_;
  std::string job_;
};

}  // namespace

std::unique_ptr<Command> MakeWhy() { return std::make_unique<Why>("why"); }
std::unique_ptr<Command> MakeExplain() { return std::make_unique<Why>("explain"); }

}  // namespace switchyard::cli
