#include "absl/time/clock.h"
#include "cli/commands/commands.h"
#include "cli/format/fleet_text.h"
#include "cli/format/json.h"

namespace switchyard::cli {
namespace {

class Workers final : public Command {
 public:
  std::string name() const override { return "workers"; }
  std::string summary() const override { return "Attached and stale workers"; }
  void AddFlags(Flags&) override {}
  absl::StatusOr<ExitCode> Run(Session& session) override {
    const absl::StatusOr<v1::ListWorkersResponse> workers = session.client().ListWorkers();
    if (!workers.ok()) return workers.status();
    session.out << (session.json ? ToJsonText(*workers)
                                 : WorkersTable(workers->workers(), absl::Now()));
    return ExitCode::kOk;
  }
};

}  // namespace

std::unique_ptr<Command> MakeWorkers() { return std::make_unique<Workers>(); }

}  // namespace switchyard::cli
