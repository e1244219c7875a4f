// workers cordon, uncordon, drain.
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "cli/commands/commands.h"
#include "cli/format/fleet_text.h"
#include "cli/format/json.h"
#include "cli/format/units.h"

namespace switchyard::cli {
namespace {

// Whatever of the three it is: names a worker, answers with it.
class ChangeWorker final : public Command {
 public:
  using Call = absl::StatusOr<v1::Worker> (*)(Client& client, const std::string& worker,
                                              absl::Duration timeout);
  ChangeWorker(const char* name, const char* summary, bool timed, Call call)
      : name_(name), summary_(summary), timed_(timed), call_(call) {}
  std::string name() const override { return name_; }
  std::string summary() const override { return summary_; }
  void AddFlags(Flags& flags) override {
    flags.Text("WORKER", &worker_, "Its id", Need::kRequired);
    if (timed_)
      flags.Text("--timeout", &timeout_, "Time for what runs to end (default 10m); 30s, 1h");
  }
  absl::StatusOr<ExitCode> Run(Session& session) override {
    absl::Duration timeout = absl::Minutes(10);
    if (!timeout_.empty()) {
      const absl::StatusOr<absl::Duration> given = ParseDurationText("--timeout", timeout_);
      if (!given.ok()) return given.status();
      timeout = *given;
    }
    const absl::StatusOr<v1::Worker> worker = call_(session.client(), worker_, timeout);
    if (!worker.ok()) return worker.status();
    v1::ListWorkersResponse one;
    *one.add_workers() = *worker;
    session.out << (session.json ? ToJsonText(*worker) : WorkersTable(one.workers(), absl::Now()));
    return ExitCode::kOk;
  }

 private:
  const char* const name_;
  const char* const summary_;
  const bool timed_;
  const Call call_;
  std::string worker_, timeout_;
};

}  // namespace

std::unique_ptr<Command> MakeWorkersCordon() {
  return std::make_unique<ChangeWorker>("workers cordon", "Give a worker nothing new", false,
                                        [](Client& client, const std::string& worker,
                                           absl::Duration) { return client.CordonWorker(worker); });
}
std::unique_ptr<Command> MakeWorkersUncordon() {
  return std::make_unique<ChangeWorker>(
      "workers uncordon", "Take a cordon or drain back", false,
      [](Client& client, const std::string& worker, absl::Duration) {
        return client.UncordonWorker(worker);
      });
}
std::unique_ptr<Command> MakeWorkersDrain() {
  return std::make_unique<ChangeWorker>(
      "workers drain", "Cordon a worker, and take back what still runs after a time", true,
      [](Client& client, const std::string& worker, absl::Duration timeout) {
        return client.DrainWorker(worker, timeout);
      });
}

}  // namespace switchyard::cli
