#include <filesystem>
#include <fstream>
#include <iterator>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "cli/commands/commands.h"
#include "cli/commands/job_flags.h"
#include "cli/commands/upload.h"

namespace switchyard::cli {
namespace {

// Inline data of a job (PredictSpec.data).
constexpr uintmax_t kMaxInlineBytes = 64 << 10;

class Predict final : public Command {
 public:
  std::string name() const override { return "predict"; }
  std::string summary() const override {
    return "Classify a file or a folder with a registered model";
  }
  void AddFlags(Flags& flags) override {
    flags.Text("DATA", &data_, "File, folder, archive, artifact hash, or path with --by-path",
               Need::kRequired);
    flags.Text("-m,--model", &model_, "Model NAME or NAME@VERSION", Need::kRequired);
    flags.Number("-k,--top", &top_k_, "Answers per item (default 5)");
    flags.Switch("--by-path", &by_path_,
                 "The worker opens the data itself, beneath its data roots");
    flags.Text("--format", &format_, "image_folder or sigmf (default: seen from the content)");
    job_flags_.Add(flags);
  }
  absl::StatusOr<ExitCode> Run(Session& session) override {
    v1::Job job;
    if (absl::Status status = FillModel(job.mutable_predict()); !status.ok()) return status;
    job.mutable_predict()->set_top_k(static_cast<uint32_t>(top_k_.value_or(0)));
    if (absl::Status status = FillInput(session, job.mutable_predict()); !status.ok())
      return status;
    return job_flags_.Submit(session, std::move(job));
  }

 private:
  absl::Status FillModel(v1::PredictSpec* spec) const {
    const size_t at = model_.rfind('@');
    spec->set_model(model_.substr(0, at));
    uint32_t version = 0;
    if (at != std::string::npos && !absl::SimpleAtoi(model_.substr(at + 1), &version)) {
      return absl::InvalidArgumentError(
          absl::StrCat("--model: \"", model_, "\" is not NAME or NAME@VERSION"));
    }
    spec->set_version(version);
    return absl::OkStatus();
  }

  // Small files travel in the job itself: no upload, no reference. A SigMF recording is two files,
  // so it is not one.
  absl::Status FillInput(Session& session, v1::PredictSpec* spec) const {
    std::error_code error;
    if (!by_path_ && std::filesystem::is_regular_file(data_, error) &&
        std::filesystem::file_size(data_, error) <= kMaxInlineBytes) {
      std::ifstream in(data_, std::ios::binary);
      spec->set_data(std::string(std::istreambuf_iterator<char>(in), {}));
      return absl::OkStatus();
    }
    const absl::StatusOr<v1::Source::Format> format = ParseFormat(format_);
    if (!format.ok()) return format.status();
    absl::StatusOr<v1::Source> source = MakeSource(session, data_, by_path_, *format);
    if (!source.ok()) return source.status();
    *spec->mutable_source() = *std::move(source);
    return absl::OkStatus();
  }

  std::string data_, model_, format_;
  std::optional<uint64_t> top_k_;
  bool by_path_ = false;
  JobFlags job_flags_;
};

}  // namespace

std::unique_ptr<Command> MakePredict() { return std::make_unique<Predict>(); }

}  // namespace switchyard::cli
