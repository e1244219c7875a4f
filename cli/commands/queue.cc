#include "cli/commands/commands.h"
#include "cli/format/fleet_text.h"
#include "cli/format/json.h"

namespace switchyard::cli {
namespace {

class QueueCommand final : public Command {
 public:
  std::string name() const override { return "queue"; }
  std::string summary() const override { return "The queue in numbers"; }
  void AddFlags(Flags&) override {}
  absl::StatusOr<ExitCode> Run(Session& session) override {
    const absl::StatusOr<v1::Queue> queue = session.client().GetQueue();
    if (!queue.ok()) return queue.status();
    session.out << (session.json ? ToJsonText(*queue) : QueueText(*queue));
    return ExitCode::kOk;
  }
};

}  // namespace

std::unique_ptr<Command> MakeQueue() { return std::make_unique<QueueCommand>(); }

}  // namespace switchyard::cli
