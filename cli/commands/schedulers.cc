#include "absl/time/clock.h"
#include "cli/commands/commands.h"
#include "cli/format/fleet_text.h"
#include "cli/format/json.h"

namespace switchyard::cli {
namespace {

class Schedulers final : public Command {
 public:
  std::string name() const override { return "schedulers"; }
  std::string summary() const override { return "Which scheduler leads and which stand by"; }
  void AddFlags(Flags&) override {}
  absl::StatusOr<ExitCode> Run(Session& session) override {
    const absl::StatusOr<v1::ListSchedulersResponse> schedulers = session.client().ListSchedulers();
    if (!schedulers.ok()) return schedulers.status();
    session.out << (session.json ? ToJsonText(*schedulers)
                                 : SchedulersTable(schedulers->schedulers(), absl::Now()));
    return ExitCode::kOk;
  }
};

}  // namespace

std::unique_ptr<Command> MakeSchedulers() { return std::make_unique<Schedulers>(); }

}  // namespace switchyard::cli
