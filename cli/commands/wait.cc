#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "cli/commands/commands.h"
#include "cli/format/job_text.h"
#include "cli/format/json.h"
#include "cli/format/units.h"

namespace switchyard::cli {
namespace {

constexpr absl::Duration kLongestCall = absl::Minutes(5);

class Wait final : public Command {
 public:
  std::string name() const override { return "wait"; }
  std::string summary() const override {
    return "Wait for a job's end; the exit code says how it ended";
  }
  void AddFlags(Flags& flags) override {
    flags.Text("JOB", &job_, "Job id", Need::kRequired);
    flags.Text("--timeout", &timeout_, "Longest wait: 90s, 5m (default: for ever)");
  }
  absl::StatusOr<ExitCode> Run(Session& session) override {
    absl::Time end = absl::InfiniteFuture();
    if (!timeout_.empty()) {
      const absl::StatusOr<absl::Duration> timeout = ParseDurationText("--timeout", timeout_);
      if (!timeout.ok()) return timeout.status();
      end = absl::Now() + *timeout;
    }
    for (;;) {
      const absl::Duration left = std::max(end - absl::Now(), absl::Milliseconds(1));
      const absl::StatusOr<v1::Job> job =
          session.client().WaitJob(job_, std::min(left, kLongestCall));
      if (!job.ok()) return job.status();
      if (IsEnded(job->state())) return PrintEnd(session, *job);
      if (absl::Now() >= end) {
        return absl::DeadlineExceededError(absl::StrCat("job ", job_, " has not ended after ",
                                                        timeout_, ": it is ", StateText(*job)));
      }
    }
  }

 private:
  static ExitCode PrintEnd(Session& session, const v1::Job& job) {
    session.out << (session.json ? ToJsonText(job) : EndText(job) + ResultText(job));
    return job.state() == v1::Job::SUCCEEDED ? ExitCode::kOk : ExitCode::kJobFailed;
  }

  std::string job_, timeout_;
};

}  // namespace

std::unique_ptr<Command> MakeWait() { return std::make_unique<Wait>(); }

}  // namespace switchyard::cli
