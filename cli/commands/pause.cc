// queue pause, queue resume, queue pauses.
#include "absl/time/clock.h"
#include "cli/commands/commands.h"
#include "cli/format/admin_text.h"
#include "cli/format/json.h"

namespace switchyard::cli {
namespace {

ExitCode Print(Session& session, const v1::ListPausesResponse& pauses) {
  session.out << (session.json ? ToJsonText(pauses) : PausesTable(pauses.pauses(), absl::Now()));
  return ExitCode::kOk;
}

// pause and resume: the same but for the call.
template <typename Request>
class ChangePause final : public Command {
 public:
  using Call = absl::StatusOr<v1::ListPausesResponse> (Client::*)(const Request&);
  ChangePause(const char* name, const char* summary, Call call)
      : name_(name), summary_(summary), call_(call) {}
  std::string name() const override { return name_; }
  std::string summary() const override { return summary_; }
  void AddFlags(Flags& flags) override {
    flags.Text("--tenant", &tenant_, "Only this tenant's jobs (default: every tenant's)");
    flags.Text("--kind", &kind_, "Only jobs of this kind (default: every kind)");
  }
  absl::StatusOr<ExitCode> Run(Session& session) override {
    Request request;
    request.set_tenant(tenant_);
    request.set_kind(kind_);
    request.set_request_id(NewRequestId());
    const absl::StatusOr<v1::ListPausesResponse> pauses = (session.client().*call_)(request);
    if (!pauses.ok()) return pauses.status();
    return Print(session, *pauses);
  }

 private:
  const char* const name_;
  const char* const summary_;
  const Call call_;
  std::string tenant_, kind_;
};

class Pauses final : public Command {
 public:
  std::string name() const override { return "queue pauses"; }
  std::string summary() const override { return "What is paused"; }
  void AddFlags(Flags&) override {}
  absl::StatusOr<ExitCode> Run(Session& session) override {
    const absl::StatusOr<v1::ListPausesResponse> pauses = session.client().ListPauses();
    if (!pauses.ok()) return pauses.status();
    return Print(session, *pauses);
  }
};

}  // namespace

std::unique_ptr<Command> MakeQueuePause() {
  return std::make_unique<ChangePause<v1::PauseQueueRequest>>(
      "queue pause", "Start no more jobs; what runs goes on", &Client::PauseQueue);
}
std::unique_ptr<Command> MakeQueueResume() {
  return std::make_unique<ChangePause<v1::ResumeQueueRequest>>("queue resume", "Take a pause back",
                                                               &Client::ResumeQueue);
}
std::unique_ptr<Command> MakeQueuePauses() { return std::make_unique<Pauses>(); }

}  // namespace switchyard::cli
