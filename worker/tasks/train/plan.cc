#include "worker/tasks/train/plan.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/status/error.h"

namespace switchyard::worker {
namespace {

using switchyard::v1::Source;
using switchyard::v1::TrainSpec;

uint32_t OrDefault(uint32_t value, uint32_t instead) { return value == 0 ? instead : value; }

UpdateRule RuleOf(const TrainSpec& spec) {
  switch (spec.optimizer()) {
    case TrainSpec::SGD:
      return UpdateRule::kSgd;
    case TrainSpec::ADAMW:
      return UpdateRule::kAdamW;
    default:
      return UpdateRule::kAdam;
  }
}

absl::Duration IntervalOf(const TrainSpec& spec) {
  if (!spec.has_checkpoint_interval()) return absl::Seconds(60);
  return absl::Seconds(spec.checkpoint_interval().seconds()) +
         absl::Nanoseconds(spec.checkpoint_interval().nanos());
}

void CheckPlan(const TrainPlan& plan, std::vector<FieldViolation>& faults) {
  const auto check = [&faults](bool good, const char* field, const char* right) {
    if (!good) faults.push_back({absl::StrCat("job.train.", field), right});
  };
  const TrainerOptions& trainer = plan.trainer;
  check(plan.batch_size <= 4096, "batch_size", "1 to 4096");
  check(plan.epochs <= 10'000, "epochs", "1 to 10000");
  check(plan.learning_rate > 0 && std::isfinite(plan.learning_rate), "learning_rate",
        "a finite number above 0");
  check(trainer.weight_decay >= 0 && std::isfinite(trainer.weight_decay), "weight_decay",
        "a finite number, 0 or more");
  check(plan.validation_fraction >= 0 && plan.validation_fraction <= 0.9, "validation_fraction",
        "0 to 0.9");
  check(plan.checkpoint_interval >= absl::Seconds(1), "checkpoint_interval", "at least 1 s");
  check(!plan.save_as.empty(), "save_as", "the name to register the model under");
  check(trainer.network.input.channels == 1 || trainer.network.input.channels == 3, "channels",
        "1 or 3");
  check(trainer.network.input.image_size >= 8 && trainer.network.input.image_size <= 1024,
        "image_size", "8 to 1024");
}

}  // namespace

absl::StatusOr<TrainPlan> MakePlan(const TrainSpec& spec, Source::Format input,
                                   const std::string& device) {
  TrainPlan plan;
  NetworkSpec& network = plan.trainer.network;
  network.architecture = spec.architecture().empty() ? "small_cnn" : spec.architecture();
  const int default_size = DefaultImageSize(network.architecture);
  if (default_size == 0) {
    return InvalidField("job.train.architecture",
                        absl::StrCat("'", network.architecture, "' is not known; one of ",
                                     absl::StrJoin(ArchitectureNames(), ", ")));
  }
  network.input.image_size =
      static_cast<int>(OrDefault(spec.image_size(), static_cast<uint32_t>(default_size)));
  network.input.channels =
      static_cast<int>(OrDefault(spec.channels(), input == Source::SIGMF ? 1 : 3));
  plan.trainer.device = device;
  plan.trainer.rule = RuleOf(spec);
  plan.learning_rate = spec.learning_rate() == 0 ? 0.001 : spec.learning_rate();
  plan.trainer.weight_decay = spec.weight_decay();
  plan.trainer.seed = spec.seed();
  plan.classes.assign(spec.classes().begin(), spec.classes().end());
  plan.batch_size = OrDefault(spec.batch_size(), 32);
  plan.keep_order = spec.keep_order();
  plan.epochs = OrDefault(spec.epochs(), 10);
  plan.validation_fraction = spec.has_validation() ? 0 : spec.validation_fraction();
  plan.shuffle_labels = spec.shuffle_labels();
  plan.checkpoint_interval = IntervalOf(spec);
  plan.save_as = spec.save_as();
  std::vector<FieldViolation> faults;
  CheckPlan(plan, faults);
  if (!faults.empty()) return InvalidFields(faults);
  return plan;
}

}  // namespace switchyard::worker
