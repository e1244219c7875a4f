#include <cmath>
#include <set>

#include "absl/strings/str_cat.h"
#include "common/hash/sha256.h"
#include "scheduler/validation/job_spec.h"
#include "scheduler/validation/names.h"
#include "scheduler/validation/time_fields.h"

namespace switchyard::scheduler {
namespace {

constexpr char kSmallCnn[] = "small_cnn";
constexpr char kResnet18[] = "resnet18";
constexpr size_t kMostClassNameBytes = 255;

void FillDefaults(v1::TrainSpec& spec) {
  if (spec.architecture().empty()) spec.set_architecture(kSmallCnn);
  if (spec.batch_size() == 0) spec.set_batch_size(32);
  if (spec.image_size() == 0) spec.set_image_size(spec.architecture() == kResnet18 ? 224 : 32);
  // With an unspecified layout only the worker, who sees the data, can tell images from recordings.
  if (spec.channels() == 0 && spec.train().format() == v1::Source::IMAGE_FOLDER)
    spec.set_channels(3);
  if (spec.channels() == 0 && spec.train().format() == v1::Source::SIGMF) spec.set_channels(1);
  if (spec.epochs() == 0) spec.set_epochs(10);
  if (spec.learning_rate() == 0) spec.set_learning_rate(0.001);
  if (spec.optimizer() == v1::TrainSpec::OPTIMIZER_UNSPECIFIED)
    spec.set_optimizer(v1::TrainSpec::ADAM);
  if (!spec.has_validation() && !spec.has_validation_fraction()) {
    spec.set_validation_fraction(0.1);
  }
  if (!spec.has_checkpoint_interval()) spec.mutable_checkpoint_interval()->set_seconds(60);
}

void CheckRange(uint32_t value, uint32_t least, uint32_t most, absl::string_view field,
                FieldFaults& faults) {
  if (value < least || value > most) {
    faults.Add(field, absl::StrCat("must be ", least, " to ", most, "; it is ", value));
  }
}

void CheckFigures(const v1::TrainSpec& spec, FieldFaults& faults) {
  CheckRange(spec.batch_size(), 1, 4096, "train.batch_size", faults);
  CheckRange(spec.image_size(), 8, 1024, "train.image_size", faults);
  CheckRange(spec.epochs(), 1, 10000, "train.epochs", faults);
  if (spec.channels() != 0 && spec.channels() != 1 && spec.channels() != 3) {
    faults.Add("train.channels", absl::StrCat("must be 1 or 3; it is ", spec.channels()));
  }
  // Written so that NaN fails.
  if (!(spec.learning_rate() > 0 && std::isfinite(spec.learning_rate()))) {
    faults.Add("train.learning_rate", "must be a finite number larger than 0");
  }
  if (!(spec.weight_decay() >= 0 && std::isfinite(spec.weight_decay()))) {
    faults.Add("train.weight_decay", "must be a finite number, 0 or larger");
  }
  if (!(spec.validation_fraction() >= 0 && spec.validation_fraction() <= 0.9)) {
    faults.Add("train.validation_fraction", "must be 0 to 0.9");
  }
  if (!v1::TrainSpec::Optimizer_IsValid(spec.optimizer())) {
    faults.Add("train.optimizer", "must be SGD, ADAM or ADAMW");
  }
  if (!IsLength(spec.checkpoint_interval()) || spec.checkpoint_interval().seconds() < 1) {
    faults.Add("train.checkpoint_interval", "must be at least 1 s");
  }
}

void CheckClasses(const v1::TrainSpec& spec, FieldFaults& faults) {
  if (spec.classes_size() == 1)
    faults.Add("train.classes", "must be at least two classes, or empty");
  std::set<absl::string_view> seen;
  for (int i = 0; i < spec.classes_size() && !faults.full(); ++i) {
    const std::string& name = spec.classes(i);
    const std::string field = absl::StrCat("train.classes[", i, "]");
    if (name.empty() || name.size() > kMostClassNameBytes)
      faults.Add(field, "must be 1 to 255 bytes");
    if (!seen.insert(name).second) faults.Add(field, absl::StrCat("\"", name, "\" stands twice"));
  }
}

void CheckInitialWeights(const v1::TrainSpec& spec, FieldFaults& faults) {
  if (spec.has_from_model() && !ParseModelReference(spec.from_model())) {
    faults.Add("train.from_model", "must be NAME or NAME@VERSION of a registered model");
  }
  if (spec.has_from_artifact() && !IsSha256Hex(spec.from_artifact())) {
    faults.Add("train.from_artifact", "must be a SHA-256: 64 lower-case hex digits");
  }
}

}  // namespace

void NormalizeTrain(v1::TrainSpec& spec, FieldFaults& faults) {
  FillDefaults(spec);
  if (spec.architecture() != kSmallCnn && spec.architecture() != kResnet18) {
    faults.Add("train.architecture",
               absl::StrCat("must be small_cnn or resnet18; it is \"", spec.architecture(), "\""));
  }
  if (spec.has_train()) {
    CheckSource(spec.train(), "train.train", faults);
  } else {
    faults.Add("train.train", "must be set: where the training data is");
  }
  if (spec.has_validation()) CheckSource(spec.validation(), "train.validation", faults);
  CheckFigures(spec, faults);
  CheckClasses(spec, faults);
  CheckInitialWeights(spec, faults);
  if (!IsModelName(spec.save_as())) faults.Add("train.save_as", kModelNameForm);
}

}  // namespace switchyard::scheduler
