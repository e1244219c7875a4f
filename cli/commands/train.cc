#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "cli/commands/commands.h"
#include "cli/commands/job_flags.h"
#include "cli/commands/upload.h"
#include "cli/format/units.h"
#include "common/hash/sha256.h"

namespace switchyard::cli {
namespace {

class Train final : public Command {
 public:
  std::string name() const override { return "train"; }
  std::string summary() const override {
    return "Train a classifier on a folder and register it as a model";
  }

  void AddFlags(Flags& flags) override {
    flags.Text("DATA", &data_,
               "Folder (packed and uploaded), archive, artifact hash, or path with --by-path",
               Need::kRequired);
    flags.Text("--save-as", &save_as_, "Name of the model", Need::kRequired);
    flags.Text("--validation", &validation_, "Validation data, given as DATA is");
    flags.Switch("--by-path", &by_path_,
                 "The worker opens the data itself, beneath its data roots");
    flags.Text("--format", &format_, "image_folder or sigmf (default: seen from the content)");
    flags.Text("--architecture", &architecture_, "small_cnn or resnet18");
    flags.Text("--classes", &classes_, "Class names, by commas (default: those of the data)");
    flags.Text("--start-from", &start_from_,
               "Model NAME[@VERSION], or the hash of a safetensors file");
    flags.Text("--optimizer", &optimizer_, "sgd, adam or adamw");
    flags.Text("--checkpoint-interval", &checkpoint_interval_, "Time between checkpoints: 60s");
    flags.Number("--epochs", &epochs_, "Passes over the data");
    flags.Number("--batch-size", &batch_size_, "Samples in one step");
    flags.Number("--image-size", &image_size_, "Height and width the network sees");
    flags.Number("--channels", &channels_, "1 (grey) or 3 (RGB)");
    flags.Number("--seed", &seed_, "Seed of initialisation, shuffling and splitting");
    flags.Real("--learning-rate", &learning_rate_, "Step size of the optimiser");
    flags.Real("--weight-decay", &weight_decay_, "L2 penalty");
    flags.Real("--validation-fraction", &validation_fraction_,
               "Share held out without --validation; 0: none");
    flags.Switch("--keep-order", &keep_order_, "Do not shuffle");
    flags.Switch("--shuffle-labels", &shuffle_labels_,
                 "Permute the labels: a control that ends at chance");
    job_flags_.Add(flags);
  }

  absl::StatusOr<ExitCode> Run(Session& session) override {
    v1::Job job;
    if (absl::Status status = FillSpec(job.mutable_train()); !status.ok()) return status;
    if (absl::Status status = FillSources(session, job.mutable_train()); !status.ok())
      return status;
    return job_flags_.Submit(session, std::move(job));
  }

 private:
  absl::Status FillSpec(v1::TrainSpec* spec) const {
    spec->set_save_as(save_as_);
    spec->set_architecture(architecture_);
    if (!classes_.empty()) {
      for (absl::string_view name : absl::StrSplit(classes_, ','))
        spec->add_classes(std::string(name));
    }
    if (IsSha256Hex(start_from_)) {
      spec->set_from_artifact(start_from_);
    } else if (!start_from_.empty()) {
      spec->set_from_model(start_from_);
    }
    spec->set_epochs(static_cast<uint32_t>(epochs_.value_or(0)));
    spec->set_batch_size(static_cast<uint32_t>(batch_size_.value_or(0)));
    spec->set_image_size(static_cast<uint32_t>(image_size_.value_or(0)));
    spec->set_channels(static_cast<uint32_t>(channels_.value_or(0)));
    spec->set_seed(seed_.value_or(0));
    spec->set_learning_rate(learning_rate_.value_or(0));
    spec->set_weight_decay(weight_decay_.value_or(0));
    if (validation_fraction_.has_value()) spec->set_validation_fraction(*validation_fraction_);
    spec->set_keep_order(keep_order_);
    spec->set_shuffle_labels(shuffle_labels_);
    return FillParsed(spec);
  }

  absl::Status FillParsed(v1::TrainSpec* spec) const {
    v1::TrainSpec::Optimizer optimizer = v1::TrainSpec::OPTIMIZER_UNSPECIFIED;
    if (!optimizer_.empty() &&
        !v1::TrainSpec::Optimizer_Parse(absl::AsciiStrToUpper(optimizer_), &optimizer)) {
      return absl::InvalidArgumentError(
          absl::StrCat("--optimizer: \"", optimizer_, "\" is unknown: sgd, adam or adamw"));
    }
    spec->set_optimizer(optimizer);
    if (checkpoint_interval_.empty()) return absl::OkStatus();
    const absl::StatusOr<absl::Duration> interval =
        ParseDurationText("--checkpoint-interval", checkpoint_interval_);
    if (!interval.ok()) return interval.status();
    *spec->mutable_checkpoint_interval() = ToProto(*interval);
    return absl::OkStatus();
  }

  absl::Status FillSources(Session& session, v1::TrainSpec* spec) const {
    const absl::StatusOr<v1::Source::Format> format = ParseFormat(format_);
    if (!format.ok()) return format.status();
    absl::StatusOr<v1::Source> train = MakeSource(session, data_, by_path_, *format);
    if (!train.ok()) return train.status();
    *spec->mutable_train() = *std::move(train);
    if (validation_.empty()) return absl::OkStatus();
    absl::StatusOr<v1::Source> validation = MakeSource(session, validation_, by_path_, *format);
    if (!validation.ok()) return validation.status();
    *spec->mutable_validation() = *std::move(validation);
    return absl::OkStatus();
  }

  std::string data_, save_as_, validation_, format_, architecture_, classes_, start_from_,
      optimizer_;
  std::string checkpoint_interval_;
  std::optional<uint64_t> epochs_, batch_size_, image_size_, channels_, seed_;
  std::optional<double> learning_rate_, weight_decay_, validation_fraction_;
  bool by_path_ = false, keep_order_ = false, shuffle_labels_ = false;
  JobFlags job_flags_;
};

}  // namespace

std::unique_ptr<Command> MakeTrain() { return std::make_unique<Train>(); }

}  // namespace switchyard::cli
