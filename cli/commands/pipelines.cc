#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "cli/commands/commands.h"
#include "cli/commands/read_source.h"
#include "cli/format/json.h"
#include "cli/format/pipeline_text.h"
#include "cli/format/units.h"

namespace switchyard::cli {
namespace {

constexpr absl::Duration kLongestCall = absl::Minutes(5);

ExitCode Print(Session& session, const v1::Pipeline& pipeline) {
  session.out << (session.json ? ToJsonText(pipeline) : PipelineText(pipeline, absl::Now()));
  return ExitCode::kOk;
}

// A command that names a pipeline, makes a call, and prints the pipeline it gives.
class OnPipeline final : public Command {
 public:
  using Call = absl::StatusOr<v1::Pipeline> (Client::*)(const std::string&);
  OnPipeline(std::string name, std::string summary, Call call)
      : name_(std::move(name)), summary_(std::move(summary)), call_(call) {}
  std::string name() const override { return name_; }
  std::string summary() const override { return summary_; }
  void AddFlags(Flags& flags) override {
    flags.Text("PIPELINE", &pipeline_, "Pipeline id", Need::kRequired);
  }
  absl::StatusOr<ExitCode> Run(Session& session) override {
    const absl::StatusOr<v1::Pipeline> pipeline = (session.client().*call_)(pipeline_);
    if (!pipeline.ok()) return pipeline.status();
    return Print(session, *pipeline);
  }

 private:
  const std::string name_, summary_;
  const Call call_;
  std::string pipeline_;
};

class Create final : public Command {
 public:
  std::string name() const override { return "pipeline create"; }
  std::string summary() const override { return "Submit a pipeline given as JSON"; }
  void AddFlags(Flags& flags) override {
    flags.Text("FILE", &source_, "A file that holds it, the JSON itself, or - for standard input",
               Need::kRequired);
    flags.Switch("--check", &check_, "Check only: nothing is stored");
  }
  absl::StatusOr<ExitCode> Run(Session& session) override {
    const absl::StatusOr<std::string> json = ReadSource(source_);
    if (!json.ok()) return json.status();
    v1::CreatePipelineRequest request;
    absl::Status status = FromJson(*json, "pipeline", request.mutable_pipeline());
    if (!status.ok()) return status;
    request.set_request_id(NewRequestId());
    request.set_validate_only(check_);
    const absl::StatusOr<v1::Pipeline> pipeline = session.client().CreatePipeline(request);
    if (!pipeline.ok()) return pipeline.status();
    if (!check_) return Print(session, *pipeline);
    session.out << (session.json ? ToJsonText(*pipeline) : "the pipeline would be accepted\n");
    return ExitCode::kOk;
  }

 private:
  std::string source_;
  bool check_ = false;
};

class List final : public Command {
 public:
  std::string name() const override { return "pipeline list"; }
  std::string summary() const override { return "Pipelines, newest first"; }
  void AddFlags(Flags&) override {}
  absl::StatusOr<ExitCode> Run(Session& session) override {
    const auto list = session.client().ListPipelines({});
    if (!list.ok()) return list.status();
    session.out << (session.json ? ToJsonText(*list)
                                 : PipelinesTable(list->pipelines(), absl::Now()));
    return ExitCode::kOk;
  }
};

class Wait final : public Command {
 public:
  std::string name() const override { return "pipeline wait"; }
  std::string summary() const override {
    return "Wait for a pipeline's end; the exit code says how it ended";
  }
  void AddFlags(Flags& flags) override {
    flags.Text("PIPELINE", &pipeline_, "Pipeline id", Need::kRequired);
    flags.Text("--timeout", &timeout_, "Longest wait: 90s, 5m (default: for ever)");
  }
  absl::StatusOr<ExitCode> Run(Session& session) override {
    absl::Time end = absl::InfiniteFuture();
    if (!timeout_.empty()) {
      const absl::StatusOr<absl::Duration> timeout = ParseDurationText("--timeout", timeout_);
      if (!timeout.ok()) return timeout.status();
      end = absl::Now() + *timeout;
    }
    while (true) {
      const absl::Duration left = std::max(end - absl::Now(), absl::Seconds(1));
      const auto pipeline = session.client().WaitPipeline(pipeline_, std::min(left, kLongestCall));
      if (!pipeline.ok()) return pipeline.status();
      if (pipeline->state() != v1::Pipeline::RUNNING) {
        Print(session, *pipeline);
        return pipeline->state() == v1::Pipeline::SUCCEEDED ? ExitCode::kOk : ExitCode::kJobFailed;
      }
      if (absl::Now() >= end) {
        return absl::DeadlineExceededError(
            absl::StrCat("pipeline ", pipeline_, " has not ended after ", timeout_));
      }
    }
  }

 private:
  std::string pipeline_, timeout_;
};

class Delete final : public Command {
 public:
  std::string name() const override { return "pipeline delete"; }
  std::string summary() const override { return "Remove an ended pipeline and its jobs"; }
  void AddFlags(Flags& flags) override {
    flags.Text("PIPELINE", &pipeline_, "Pipeline id", Need::kRequired);
  }
  absl::StatusOr<ExitCode> Run(Session& session) override {
    const absl::Status status = session.client().DeletePipeline(pipeline_);
    if (!status.ok()) return status;
    return ExitCode::kOk;
  }

 private:
  std::string pipeline_;
};

}  // namespace

std::unique_ptr<Command> MakePipelineCancel() {
  return std::make_unique<OnPipeline>("pipeline cancel", "End a pipeline: all its jobs",
                                      &Client::CancelPipeline);
}
std::unique_ptr<Command> MakePipelineCreate() { return std::make_unique<Create>(); }
std::unique_ptr<Command> MakePipelineDelete() { return std::make_unique<Delete>(); }
std::unique_ptr<Command> MakePipelineList() { return std::make_unique<List>(); }
std::unique_ptr<Command> MakePipelineResume() {
  return std::make_unique<OnPipeline>("pipeline resume",
                                      "Go on with a pipeline where it failed or was cancelled",
                                      &Client::ResumePipeline);
}
std::unique_ptr<Command> MakePipelineShow() {
  return std::make_unique<OnPipeline>("pipeline show", "A pipeline's steps and how they stand",
                                      &Client::GetPipeline);
}
std::unique_ptr<Command> MakePipelineWait() { return std::make_unique<Wait>(); }

}  // namespace switchyard::cli
