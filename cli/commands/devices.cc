#include "cli/commands/commands.h"
#include "cli/format/fleet_text.h"
#include "cli/format/json.h"

namespace switchyard::cli {
namespace {

class Devices final : public Command {
 public:
  std::string name() const override { return "devices"; }
  std::string summary() const override { return "Devices of all workers, and what runs on them"; }
  void AddFlags(Flags&) override {}
  absl::StatusOr<ExitCode> Run(Session& session) override {
    const absl::StatusOr<v1::ListDevicesResponse> devices = session.client().ListDevices();
    if (!devices.ok()) return devices.status();
    session.out << (session.json ? ToJsonText(*devices) : DevicesTable(devices->devices()));
    return ExitCode::kOk;
  }
};

}  // namespace

std::unique_ptr<Command> MakeDevices() { return std::make_unique<Devices>(); }

}  // namespace switchyard::cli
