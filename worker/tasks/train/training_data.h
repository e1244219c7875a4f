// The data of one training: what is learned from, what is validated on, and how the input is
// normalised.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "switchyard/v1/train.pb.h"
#include "worker/executor/executor.h"
#include "worker/tasks/train/plan.h"
#include "worker/tasks/train/sample_set.h"

namespace switchyard::worker {

struct TrainingData {
  api::Source::Format input = api::Source::IMAGE_FOLDER;
  std::vector<std::string> classes;  // In output order.
  SampleSet train;                   // Holds the validation samples too when they are split off it.
  std::optional<SampleSet> separate_validation;
  std::vector<uint32_t> train_indices;       // Into `train`, ascending.
  std::vector<uint32_t> validation_indices;  // Into `validation()`, ascending; may be empty.
  ChannelStatistics statistics;              // Of the training samples.

  const SampleSet& validation() const {
    return separate_validation.has_value() ? *separate_validation : train;
  }
};

// Opens, lists, checks, renders and splits. Fills `plan`'s network in from what it finds. Errors
// name the thing: the sources' own, EMPTY_DATA_SET, ONE_CLASS, UNKNOWN_LABEL (a label beyond the
// given classes), an unreadable file.
absl::StatusOr<TrainingData> LoadTrainingData(AttemptContext& context, const api::TrainSpec& spec,
                                              TrainPlan& plan);

}  // namespace switchyard::worker
