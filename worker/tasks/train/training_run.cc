#include "worker/tasks/train/training_run.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/status/error.h"
#include "worker/tasks/train/schedule.h"
#include "worker/tasks/train/shuffle.h"

namespace switchyard::worker {
namespace {

// Points a series of per-step figures has at most.
constexpr uint64_t kMostPoints = 2000;

void Count(const BatchOutcome& outcome, const std::vector<int32_t>& labels, Tally& tally) {
  tally.loss_sum += outcome.loss_sum;
  tally.samples += labels.size();
  for (size_t i = 0; i < labels.size(); ++i) tally.right += outcome.predictions[i] == labels[i];
}

}  // namespace

std::vector<size_t> BatchEnds(size_t samples, size_t batch_size) {
  std::vector<size_t> ends;
  for (size_t end = batch_size; end < samples; end += batch_size) ends.push_back(end);
  const bool lone = !ends.empty() && samples - ends.back() == 1 && batch_size > 1;
  if (lone) ends.pop_back();
  ends.push_back(samples);
  return ends;
}

TrainingRun::TrainingRun(AttemptContext& context, const TrainPlan& plan, const TrainingData& data,
                         Trainer& trainer, Clock& clock, std::string fingerprint)
    : context_(context),
      plan_(plan),
      data_(data),
      trainer_(trainer),
      clock_(clock),
      fingerprint_(std::move(fingerprint)),
      last_checkpoint_(clock.BootTime()),
      last_report_(clock.BootTime()) {}

absl::Status TrainingRun::Resume(const Safetensors& checkpoint) {
  absl::StatusOr<Position> position = DecodePosition(checkpoint.metadata, fingerprint_);
  if (!position.ok()) return position.status();
  const absl::Status restored = trainer_.Restore(checkpoint);
  if (!restored.ok()) return restored;
  position_ = *std::move(position);
  context_.Log(api::LogLine::INFO, absl::StrCat("resumed in epoch ", position_.epoch + 1,
                                                ", batch ", position_.batch + 1));
  return absl::OkStatus();
}

absl::Status TrainingRun::Run() {
  while (position_.epoch < plan_.epochs && !stopped_) {
    const absl::Status status = RunEpoch();
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status TrainingRun::RunEpoch() {
  const std::vector<uint32_t> order = EpochOrder();
  const std::vector<size_t> ends = BatchEnds(order.size(), plan_.batch_size);
  while (position_.batch < ends.size()) {
    if (context_.Cancelled()) return absl::CancelledError("cancelled");
    if (context_.StopRequested()) {
      stopped_ = true;
      return SaveCheckpoint();
    }
    context_.YieldPoint();
    const size_t begin = position_.batch == 0 ? 0 : ends[position_.batch - 1];
    absl::Status status = RunBatch(order, begin, ends[position_.batch]);
    if (!status.ok()) return status;
    ++position_.batch;
    if (clock_.BootTime() - last_checkpoint_ >= plan_.checkpoint_interval) {
      status = SaveCheckpoint();
      if (!status.ok()) return status;
    }
  }
  return FinishEpoch();
}

std::vector<uint32_t> TrainingRun::EpochOrder() const {
  const std::vector<uint32_t>& indices = data_.train_indices;
  if (plan_.keep_order) return indices;
  std::vector<uint32_t> order = Permutation(static_cast<uint32_t>(indices.size()),
                                            plan_.trainer.seed, Stream::kEpoch, position_.epoch);
  for (uint32_t& i : order) i = indices[i];
  return order;
}

absl::Status TrainingRun::FillBatch(const SampleSet& set, const std::vector<uint32_t>& indices,
                                    size_t begin, size_t end) {
  pixels_.clear();
  labels_.clear();
  for (size_t i = begin; i < end; ++i) {
    const absl::Status status = set.AppendPixels(indices[i], pixels_);
    if (!status.ok()) return status;
    labels_.push_back(set.labels()[indices[i]]);
  }
  return absl::OkStatus();
}

absl::Status TrainingRun::RunBatch(const std::vector<uint32_t>& order, size_t begin, size_t end) {
  const absl::Status filled = FillBatch(data_.train, order, begin, end);
  if (!filled.ok()) return filled;
  const std::vector<size_t> parts = BatchEnds(end - begin, PartSize(plan_));
  const absl::StatusOr<BatchOutcome> outcome = trainer_.Step(
      {pixels_, labels_}, LearningRateAt(plan_.learning_rate, position_.step, TotalSteps()), parts);
  if (!outcome.ok()) return outcome.status();
  ++position_.step;
  if (!std::isfinite(outcome->loss_sum)) {
    return MakeError(
        absl::StatusCode::kFailedPrecondition, "DIVERGED",
        absl::StrCat("the loss is not a finite number at step ", position_.step,
                     "; a smaller learning_rate than ", plan_.learning_rate, " may help"));
  }
  Count(*outcome, labels_, position_.tally);
  ReportStep(*outcome, end - begin);
  return absl::OkStatus();
}

uint64_t TrainingRun::TotalSteps() const {
  return static_cast<uint64_t>(BatchEnds(data_.train_indices.size(), plan_.batch_size).size()) *
         plan_.epochs;
}

void TrainingRun::ReportStep(const BatchOutcome& outcome, size_t samples) {
  samples_since_report_ += samples;
  const uint64_t total = TotalSteps();
  const uint64_t every = (total + kMostPoints - 1) / kMostPoints;
  if (position_.step % every != 0) return;
  const absl::Duration now = clock_.BootTime();
  const double seconds = absl::ToDoubleSeconds(now - last_report_);
  context_.Metric("train/loss", position_.step, outcome.loss_sum / static_cast<double>(samples));
  if (seconds > 0) {
    context_.Metric("train/images_per_second", position_.step,
                    static_cast<double>(samples_since_report_) / seconds);
  }
  last_report_ = now;
  samples_since_report_ = 0;
  const double done = static_cast<double>(position_.step) / static_cast<double>(total);
  context_.Progress(kReadingShare + (1 - kReadingShare) * done,
                    absl::StrCat("epoch ", position_.epoch + 1, " of ", plan_.epochs));
}

absl::Status TrainingRun::FinishEpoch() {
  EpochFigures figures;
  figures.train = position_.tally;
  const absl::StatusOr<Tally> validation = Validate(nullptr);
  if (!validation.ok()) return validation.status();
  figures.validation = *validation;
  position_.history.push_back(figures);
  position_.tally = {};
  position_.batch = 0;
  const uint64_t epoch = ++position_.epoch;
  context_.Metric("epoch/train_loss", epoch, figures.train.mean_loss());
  context_.Metric("epoch/train_accuracy", epoch, figures.train.accuracy());
  std::string line =
      absl::StrFormat("epoch %d of %d: train loss %.4f, accuracy %.2f %%", epoch, plan_.epochs,
                      figures.train.mean_loss(), 100 * figures.train.accuracy());
  if (figures.validation.samples > 0) {
    context_.Metric("epoch/validation_loss", epoch, figures.validation.mean_loss());
    context_.Metric("epoch/validation_accuracy", epoch, figures.validation.accuracy());
    absl::StrAppendFormat(&line, "; validation loss %.4f, accuracy %.2f %%",
                          figures.validation.mean_loss(), 100 * figures.validation.accuracy());
  }
  context_.Log(api::LogLine::INFO, line);
  // Validation time is not training time.
  last_report_ = clock_.BootTime();
  return absl::OkStatus();
}

absl::StatusOr<Tally> TrainingRun::Validate(ConfusionMatrix* matrix) {
  Tally tally;
  const std::vector<uint32_t>& indices = data_.validation_indices;
  for (size_t begin = 0; begin < indices.size(); begin += PartSize(plan_)) {
    if (context_.Cancelled()) return absl::CancelledError("cancelled");
    context_.YieldPoint();
    const size_t end = std::min<size_t>(indices.size(), begin + PartSize(plan_));
    const absl::Status filled = FillBatch(data_.validation(), indices, begin, end);
    if (!filled.ok()) return filled;
    const absl::StatusOr<BatchOutcome> outcome = trainer_.Evaluate({pixels_, labels_});
    if (!outcome.ok()) return outcome.status();
    Count(*outcome, labels_, tally);
    for (size_t i = 0; matrix != nullptr && i < labels_.size(); ++i) {
      matrix->Add(labels_[i], outcome->predictions[i]);
    }
  }
  return tally;
}

absl::Status TrainingRun::SaveCheckpoint() {
  context_.SetPhase(api::Job::CHECKPOINTING);
  const absl::StatusOr<std::string> state = trainer_.State(EncodePosition(position_, fingerprint_));
  if (!state.ok()) return state.status();
  const absl::StatusOr<ArtifactInfo> stored = PutBytes(context_.artifacts(), *state);
  if (!stored.ok()) return Annotate(stored.status(), "storing the checkpoint");
  api::OutputArtifact output;
  output.set_name("checkpoint");
  output.set_sha256(stored->sha256);
  output.set_size_bytes(stored->size_bytes);
  output.set_media_type("application/octet-stream");
  context_.ReportCheckpoint(std::move(output));
  last_checkpoint_ = clock_.BootTime();
  context_.SetPhase(api::Job::WORKING);
  return absl::OkStatus();
}

}  // namespace switchyard::worker
