#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "cli/commands/commands.h"
#include "cli/format/json.h"
#include "cli/format/pipeline_text.h"

namespace switchyard::cli {
namespace {

constexpr absl::Duration kLongestCall = absl::Minutes(5);

ExitCode Print(Session& session, const v1::Array& array) {
  session.out << (session.json ? ToJsonText(array) : ArrayText(array));
  return ExitCode::kOk;
}

class OnArray final : public Command {
 public:
  using Call = absl::StatusOr<v1::Array> (Client::*)(const std::string&);
  OnArray(std::string name, std::string summary, Call call)
      : name_(std::move(name)), summary_(std::move(summary)), call_(call) {}
  std::string name() const override { return name_; }
  std::string summary() const override { return summary_; }
  void AddFlags(Flags& flags) override {
    flags.Text("ARRAY", &array_, "Array id", Need::kRequired);
  }
  absl::StatusOr<ExitCode> Run(Session& session) override {
    const absl::StatusOr<v1::Array> array = (session.client().*call_)(array_);
    if (!array.ok()) return array.status();
    return Print(session, *array);
  }

 private:
  const std::string name_, summary_;
  const Call call_;
  std::string array_;
};

class List final : public Command {
 public:
  std::string name() const override { return "arrays list"; }
  std::string summary() const override { return "Arrays, newest first"; }
  void AddFlags(Flags&) override {}
  absl::StatusOr<ExitCode> Run(Session& session) override {
    const auto list = session.client().ListArrays({});
    if (!list.ok()) return list.status();
    session.out << (session.json ? ToJsonText(*list) : ArraysTable(list->arrays(), absl::Now()));
    return ExitCode::kOk;
  }
};

class Wait final : public Command {
 public:
  std::string name() const override { return "arrays wait"; }
  std::string summary() const override {
    return "Wait for the end of all jobs of an array; the exit code says whether all succeeded";
  }
  void AddFlags(Flags& flags) override {
    flags.Text("ARRAY", &array_, "Array id", Need::kRequired);
  }
  absl::StatusOr<ExitCode> Run(Session& session) override {
    while (true) {
      const auto array = session.client().WaitArray(array_, kLongestCall);
      if (!array.ok()) return array.status();
      if (array->blocked() + array->queued() + array->running() > 0) continue;
      Print(session, *array);
      return array->succeeded() == array->count() ? ExitCode::kOk : ExitCode::kJobFailed;
    }
  }

 private:
  std::string array_;
};

class Width final : public Command {
 public:
  std::string name() const override { return "arrays width"; }
  std::string summary() const override {
    return "Change how many jobs of an array run at once; what runs goes on";
  }
  void AddFlags(Flags& flags) override {
    flags.Text("ARRAY", &array_, "Array id", Need::kRequired);
    flags.Text("WIDTH", &width_, "At most so many; 0: no limit of its own", Need::kRequired);
  }
  absl::StatusOr<ExitCode> Run(Session& session) override {
    uint32_t width = 0;
    if (!absl::SimpleAtoi(width_, &width))
      return absl::InvalidArgumentError("WIDTH must be a whole number from 0");
    const auto array = session.client().UpdateArray(array_, width);
    if (!array.ok()) return array.status();
    return Print(session, *array);
  }

 private:
  std::string array_, width_;
};

}  // namespace

std::unique_ptr<Command> MakeArraysCancel() {
  return std::make_unique<OnArray>("arrays cancel", "End all jobs of an array",
                                   &Client::CancelArray);
}
std::unique_ptr<Command> MakeArraysList() { return std::make_unique<List>(); }
std::unique_ptr<Command> MakeArraysShow() {
  return std::make_unique<OnArray>("arrays show", "How the jobs of an array stand",
                                   &Client::GetArray);
}
std::unique_ptr<Command> MakeArraysWidth() { return std::make_unique<Width>(); }
std::unique_ptr<Command> MakeArraysWait() { return std::make_unique<Wait>(); }

}  // namespace switchyard::cli
