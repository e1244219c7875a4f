// What a training does, with every default filled in: TrainSpec as the loop uses it. Plain data.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "switchyard/v1/train.pb.h"
#include "worker/torch/trainer.h"

namespace switchyard::worker {

struct TrainPlan {
  TrainerOptions trainer;  // `network.classes`, mean and deviation are known once the data is read.
  std::vector<std::string> classes;  // Empty: from the data.
  double learning_rate = 0.001;      // At the beginning; schedule.h says how it goes on.
  uint32_t batch_size = 32;
  // Most samples computed at a time, where memory forces less than the batch: its gradients are
  // summed over parts. 0: the whole batch.
  uint32_t part_size = 0;
  bool keep_order = false;
  uint32_t epochs = 10;
  double validation_fraction = 0.1;
  bool shuffle_labels = false;
  absl::Duration checkpoint_interval = absl::Seconds(60);
  std::string save_as;
};

// The scheduler fills defaults in at submit; they are filled in again here, since a worker does not
// trust its caller with its memory. `input` is the layout of the data, which decides the default of
// `channels`. INVALID_ARGUMENT names every field at fault.
absl::StatusOr<TrainPlan> MakePlan(const switchyard::v1::TrainSpec& spec,
                                   switchyard::v1::Source::Format input, const std::string& device);

// Samples computed at a time.
inline uint32_t PartSize(const TrainPlan& plan) {
  return plan.part_size == 0 || plan.part_size > plan.batch_size ? plan.batch_size : plan.part_size;
}

}  // namespace switchyard::worker
