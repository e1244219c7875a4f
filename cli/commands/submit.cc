#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "cli/commands/commands.h"
#include "cli/commands/job_flags.h"
#include "cli/format/json.h"

namespace switchyard::cli {
namespace {

class Submit final : public Command {
 public:
  std::string name() const override { return "submit"; }
  std::string summary() const override { return "Submit a job given as JSON"; }
  void AddFlags(Flags& flags) override {
    flags.Text("JOB", &source_,
               "The job: '{\"noop\": {}}', a file that holds it, or - for standard input",
               Need::kRequired);
    job_flags_.Add(flags);
  }
  absl::StatusOr<ExitCode> Run(Session& session) override {
    absl::StatusOr<std::string> json = ReadSource();
    if (!json.ok()) return json.status();
    v1::Job job;
    if (absl::Status status = FromJson(*json, "job", &job); !status.ok()) return status;
    return job_flags_.Submit(session, std::move(job));
  }

 private:
  absl::StatusOr<std::string> ReadSource() const {
    if (source_ == "-") return std::string(std::istreambuf_iterator<char>(std::cin), {});
    const size_t first = source_.find_first_not_of(" \t\r\n");
    if (first != std::string::npos && source_[first] == '{') return source_;
    std::ifstream in(source_);
    if (!in) return absl::NotFoundError(absl::StrCat("there is no file ", source_));
    return std::string(std::istreambuf_iterator<char>(in), {});
  }

  std::string source_;
  JobFlags job_flags_;
};

}  // namespace

std::unique_ptr<Command> MakeSubmit() { return std::make_unique<Submit>(); }

}  // namespace switchyard::cli
