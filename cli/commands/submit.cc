#include <optional>

#include "cli/commands/commands.h"
#include "cli/commands/job_flags.h"
#include "cli/commands/read_source.h"
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
    flags.Number("--array", &array_, "So many jobs of it, as one array");
    flags.Number("--width", &width_, "With --array: most of them running at once (default: all)");
    job_flags_.Add(flags);
  }
  absl::StatusOr<ExitCode> Run(Session& session) override {
    absl::StatusOr<std::string> json = ReadSource(source_);
    if (!json.ok()) return json.status();
    v1::Job job;
    if (absl::Status status = FromJson(*json, "job", &job); !status.ok()) return status;
    if (array_.has_value()) return SubmitArray(session, std::move(job));
    return job_flags_.Submit(session, std::move(job));
  }

 private:
  absl::StatusOr<ExitCode> SubmitArray(Session& session, v1::Job job) {
    v1::CreateArrayRequest request;
    if (absl::Status status = job_flags_.Apply(&job); !status.ok()) return status;
    *request.mutable_array()->mutable_job() = std::move(job);
    request.mutable_array()->set_count(static_cast<uint32_t>(*array_));
    request.mutable_array()->set_width(static_cast<uint32_t>(width_.value_or(0)));
    request.set_request_id(NewRequestId());
    const absl::StatusOr<v1::Array> array = session.client().CreateArray(request);
    if (!array.ok()) return array.status();
    if (session.json) {
      session.out << ToJsonText(*array);
    } else {
      session.out << "array " << array->id() << ": " << array->count() << " jobs\n";
    }
    return ExitCode::kOk;
  }

  std::string source_;
  std::optional<uint64_t> array_;
  std::optional<uint64_t> width_;
  JobFlags job_flags_;
};

}  // namespace

std::unique_ptr<Command> MakeSubmit() { return std::make_unique<Submit>(); }

}  // namespace switchyard::cli
