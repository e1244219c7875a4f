#include "absl/time/clock.h"
#include "cli/commands/commands.h"
#include "cli/commands/read_source.h"
#include "cli/format/json.h"
#include "cli/format/pipeline_text.h"

namespace switchyard::cli {
namespace {

ExitCode Print(Session& session, const v1::Schedule& schedule) {
  session.out << (session.json ? ToJsonText(schedule) : ScheduleText(schedule, absl::Now()));
  return ExitCode::kOk;
}

class OnSchedule final : public Command {
 public:
  using Call = absl::StatusOr<v1::Schedule> (Client::*)(const std::string&);
  OnSchedule(std::string name, std::string summary, Call call)
      : name_(std::move(name)), summary_(std::move(summary)), call_(call) {}
  std::string name() const override { return name_; }
  std::string summary() const override { return summary_; }
  void AddFlags(Flags& flags) override {
    flags.Text("SCHEDULE", &schedule_, "Its name", Need::kRequired);
  }
  absl::StatusOr<ExitCode> Run(Session& session) override {
    const absl::StatusOr<v1::Schedule> schedule = (session.client().*call_)(schedule_);
    if (!schedule.ok()) return schedule.status();
    return Print(session, *schedule);
  }

 private:
  const std::string name_, summary_;
  const Call call_;
  std::string schedule_;
};

class Create final : public Command {
 public:
  std::string name() const override { return "schedules create"; }
  std::string summary() const override {
    return "Make a schedule given as JSON: name, cron, and a job or a pipeline";
  }
  void AddFlags(Flags& flags) override {
    flags.Text("FILE", &source_, "A file that holds it, the JSON itself, or - for standard input",
               Need::kRequired);
  }
  absl::StatusOr<ExitCode> Run(Session& session) override {
    const absl::StatusOr<std::string> json = ReadSource(source_);
    if (!json.ok()) return json.status();
    v1::CreateScheduleRequest request;
    absl::Status status = FromJson(*json, "schedule", request.mutable_schedule());
    if (!status.ok()) return status;
    request.set_request_id(NewRequestId());
    const absl::StatusOr<v1::Schedule> schedule = session.client().CreateSchedule(request);
    if (!schedule.ok()) return schedule.status();
    return Print(session, *schedule);
  }

 private:
  std::string source_;
};

class List final : public Command {
 public:
  std::string name() const override { return "schedules list"; }
  std::string summary() const override { return "Schedules, and when they run next"; }
  void AddFlags(Flags&) override {}
  absl::StatusOr<ExitCode> Run(Session& session) override {
    const auto list = session.client().ListSchedules({});
    if (!list.ok()) return list.status();
    session.out << (session.json ? ToJsonText(*list)
                                 : SchedulesTable(list->schedules(), absl::Now()));
    return ExitCode::kOk;
  }
};

class Delete final : public Command {
 public:
  std::string name() const override { return "schedules delete"; }
  std::string summary() const override { return "Remove a schedule; what it made goes on"; }
  void AddFlags(Flags& flags) override {
    flags.Text("SCHEDULE", &schedule_, "Its name", Need::kRequired);
  }
  absl::StatusOr<ExitCode> Run(Session& session) override {
    const absl::Status status = session.client().DeleteSchedule(schedule_);
    if (!status.ok()) return status;
    return ExitCode::kOk;
  }

 private:
  std::string schedule_;
};

}  // namespace

std::unique_ptr<Command> MakeSchedulesCreate() { return std::make_unique<Create>(); }
std::unique_ptr<Command> MakeSchedulesDelete() { return std::make_unique<Delete>(); }
std::unique_ptr<Command> MakeSchedulesList() { return std::make_unique<List>(); }
std::unique_ptr<Command> MakeSchedulesPause() {
  return std::make_unique<OnSchedule>("schedules pause", "Let a schedule run no more for now",
                                      &Client::PauseSchedule);
}
std::unique_ptr<Command> MakeSchedulesResume() {
  return std::make_unique<OnSchedule>("schedules resume", "Let a paused schedule run again",
                                      &Client::ResumeSchedule);
}
std::unique_ptr<Command> MakeSchedulesShow() {
  return std::make_unique<OnSchedule>("schedules show", "A schedule, its last and next run",
                                      &Client::GetSchedule);
}

}  // namespace switchyard::cli
