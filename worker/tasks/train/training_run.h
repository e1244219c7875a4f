// The training loop: epochs and batches over a Trainer, with figures, checkpoints, stop and cancel.
//
// Used by one thread. Deterministic: which samples make which batch depends on plan and data alone,
// so a run that was interrupted and resumed does the same arithmetic as one that was not.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/clock/clock.h"
#include "worker/executor/executor.h"
#include "worker/tasks/train/position.h"
#include "worker/tasks/train/report.h"
#include "worker/tasks/train/training_data.h"
#include "worker/torch/trainer.h"

namespace switchyard::worker {

class TrainingRun {
 public:
  // All outlive this. `fingerprint` goes into checkpoints.
  TrainingRun(AttemptContext& context, const TrainPlan& plan, const TrainingData& data,
              Trainer& trainer, Clock& clock, std::string fingerprint);

  // To begin where a checkpoint was made. INVALID_ARGUMENT when it does not fit.
  absl::Status Resume(const Safetensors& checkpoint);

  // Until all epochs are done or a stop is asked for, which keeps a checkpoint. CANCELLED between
  // batches. FAILED_PRECONDITION (reason DIVERGED) when the loss is not a number any more.
  absl::Status Run();

  const Position& position() const { return position_; }
  // Run ended by a stop, before the last epoch was done.
  bool stopped() const { return stopped_; }

  // One pass over the validation samples with the weights as they are. `matrix` may be null.
  absl::StatusOr<Tally> Validate(ConfusionMatrix* matrix);

 private:
  absl::Status RunEpoch();
  absl::Status FinishEpoch();
  absl::Status RunBatch(const std::vector<uint32_t>& order, size_t begin, size_t end);
  absl::Status SaveCheckpoint();
  void ReportStep(const BatchOutcome& outcome, size_t samples);
  // Steps of the whole training.
  uint64_t TotalSteps() const;
  absl::Status FillBatch(const SampleSet& set, const std::vector<uint32_t>& indices, size_t begin,
                         size_t end);
  std::vector<uint32_t> EpochOrder() const;

  AttemptContext& context_;
  const TrainPlan& plan_;
  const TrainingData& data_;
  Trainer& trainer_;
  Clock& clock_;
  const std::string fingerprint_;
  Position position_;
  bool stopped_ = false;
  absl::Duration last_checkpoint_;
  absl::Duration last_report_;
  uint64_t samples_since_report_ = 0;
  std::vector<uint8_t> pixels_;  // Of the batch under way,
  std::vector<int32_t> labels_;  // and its labels.
};

// Ends of the batches of an epoch over `samples`, and of the parts of a batch. A last one of a
// single sample joins the one before it, as batch normalisation cannot learn from one.
std::vector<size_t> BatchEnds(size_t samples, size_t batch_size);

}  // namespace switchyard::worker
