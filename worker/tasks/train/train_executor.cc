#include "worker/tasks/train/train_executor.h"

#include <cmath>
#include <optional>

#include "absl/strings/str_cat.h"
#include "common/hash/sha256.h"
#include "common/status/error.h"
#include "worker/tasks/train/report.h"
#include "worker/tasks/train/training_data.h"
#include "worker/tasks/train/training_run.h"
#include "worker/torch/device.h"
#include "worker/torch/safetensors.h"

namespace switchyard::worker {
namespace {

namespace wire = ::switchyard::worker::v1;

constexpr int64_t kMostWeightBytes = int64_t{8} << 30;

// What a checkpoint belongs to: every setting that steers the arithmetic, and the data.
std::string Fingerprint(const api::TrainSpec& spec, const TrainingData& data) {
  api::TrainSpec settings = spec;
  settings.clear_save_as();
  settings.clear_checkpoint_interval();
  Sha256 hash;
  hash.Update(settings.SerializeAsString());
  for (const SampleSet* set : {&data.train, &data.validation()}) {
    for (uint32_t i = 0; i < set->size(); ++i) {
      hash.Update(absl::StrCat(set->sample(i).name, "\n", set->labels()[i], "\n"));
    }
  }
  for (const float mean : data.statistics.mean)
    hash.Update(absl::StrCat(std::ldexp(mean, 24), "\n"));
  return hash.FinishHex();
}

class TrainExecutor final : public Executor {
 public:
  explicit TrainExecutor(Clock& clock) : clock_(clock) {}

  absl::Status Prepare(AttemptContext& context, const api::Job& job,
                       const wire::Assignment& assignment) override {
    spec_ = job.train();
    attempt_ = assignment.ref().attempt();
    if (context.gang().size > 1) return OneDeviceOnly(context.gang());
    absl::Status status = UseDevice(context.device());
    if (!status.ok()) return status;
    absl::StatusOr<TrainingData> data = LoadTrainingData(context, spec_, plan_);
    if (!data.ok()) return data.status();
    data_ = *std::move(data);
    ChooseParts(context, assignment.batch_limit());
    Describe(context);
    absl::StatusOr<std::unique_ptr<Trainer>> trainer = MakeTrainer(plan_.trainer);
    if (!trainer.ok()) return trainer.status();
    trainer_ = *std::move(trainer);
    run_.emplace(context, plan_, data_, *trainer_, clock_, Fingerprint(spec_, data_));
    if (!assignment.resume_from().empty()) return Resume(context, assignment.resume_from());
    return LoadInitialWeights(context, assignment);
  }

  absl::StatusOr<api::Job> Run(AttemptContext& context) override {
    absl::Status status = UseDevice(context.device());
    if (!status.ok()) return status;
    context.SetPhase(api::Job::WORKING);
    status = run_->Run();
    if (!status.ok()) return status;
    if (run_->stopped()) {
      // A later attempt goes on from the checkpoint and makes the result.
      if (context.Preempted()) return absl::CancelledError("preempted");
      context.EndsEarly();
    }
    return Conclude(context);
  }

 private:
  static absl::Status OneDeviceOnly(const GangPlace& gang) {
    return MakeError(
        absl::StatusCode::kFailedPrecondition, "ONE_DEVICE_ONLY",
        absl::StrCat("train uses one device, not ", gang.size, "; submit with device_count 1"),
        {{"device_count", absl::StrCat(gang.size)}});
  }

  // Batch normalisation learns nothing from one sample, so a part has two at least.
  void ChooseParts(AttemptContext& context, uint32_t limit) {
    if (limit != 0) plan_.part_size = std::max(2u, limit);
    context.SetBatch(PartSize(plan_));
    if (PartSize(plan_) == plan_.batch_size) return;
    context.Log(
        api::LogLine::WARNING,
        absl::StrCat("memory ran out with more: batches of ", plan_.batch_size, " are computed ",
                     PartSize(plan_), " samples at a time. The step sizes stay those of ",
                     plan_.batch_size, "; batch normalisation sees ", PartSize(plan_)));
  }

  void Describe(AttemptContext& context) const {
    const NetworkSpec& network = plan_.trainer.network;
    context.Log(
        api::LogLine::INFO,
        absl::StrCat("training ", network.architecture, " on ", data_.train_indices.size(),
                     " samples of ", data_.classes.size(), " classes (", network.input.channels,
                     "x", network.input.image_size, "x", network.input.image_size,
                     "), validating on ", data_.validation_indices.size()));
  }

  absl::Status Resume(AttemptContext& context, const std::string& artifact) {
    const absl::Status status =
        UseFile(context, artifact, [this](const Safetensors& file) { return run_->Resume(file); });
    return status.ok() ? status : Annotate(status, absl::StrCat("checkpoint ", artifact));
  }

  absl::Status LoadInitialWeights(AttemptContext& context, const wire::Assignment& assignment) {
    std::string artifact = spec_.from_artifact();
    if (spec_.has_from_model()) {
      const std::string& architecture = assignment.initial_model().metadata().architecture();
      if (architecture != plan_.trainer.network.architecture) {
        return MakeError(absl::StatusCode::kInvalidArgument, "WRONG_WEIGHTS",
                         absl::StrCat("from_model '", spec_.from_model(), "' is a ", architecture,
                                      ", not a ", plan_.trainer.network.architecture));
      }
      artifact = assignment.initial_model().weights_artifact();
    }
    if (artifact.empty()) return absl::OkStatus();
    const absl::Status status = UseFile(context, artifact, [&](const Safetensors& file) {
      const absl::StatusOr<bool> fresh_head = trainer_->LoadWeights(file);
      if (fresh_head.ok() && *fresh_head) {
        context.Log(api::LogLine::INFO, "another number of classes: the last layer starts anew");
      }
      return fresh_head.status();
    });
    return status.ok() ? status : Annotate(status, absl::StrCat("initial weights ", artifact));
  }

  template <typename Use>
  absl::Status UseFile(AttemptContext& context, const std::string& artifact, const Use& use) {
    const absl::StatusOr<std::string> bytes =
        GetBytes(context.artifacts(), artifact, kMostWeightBytes);
    if (!bytes.ok()) return bytes.status();
    const absl::StatusOr<Safetensors> file = ReadSafetensors(*bytes);
    if (!file.ok()) return file.status();
    return use(*file);
  }

  // Figures with the final weights, then everything that is kept.
  absl::StatusOr<api::Job> Conclude(AttemptContext& context) {
    const Position& position = run_->position();
    ConfusionMatrix matrix(data_.classes.size());
    const absl::StatusOr<Tally> validation = run_->Validate(&matrix);
    if (!validation.ok()) return validation.status();
    api::Job job;
    api::TrainResult& result = *job.mutable_train_result();
    result.set_model(plan_.save_as);
    result.set_epochs(position.epoch);
    const bool midway = position.tally.samples > 0 || position.history.empty();
    const Tally& train = midway ? position.tally : position.history.back().train;
    result.set_train_loss(train.mean_loss());
    result.set_validation_loss(validation->mean_loss());
    result.set_validation_accuracy(validation->accuracy());
    result.set_train_samples(data_.train_indices.size());
    result.set_validation_samples(data_.validation_indices.size());
    for (api::ClassFigures& figures : matrix.Figures(data_.classes)) {
      *result.add_classes() = std::move(figures);
    }
    FillMetadata(*result.mutable_metadata());
    const absl::Status stored = StoreOutputs(context, matrix, result);
    if (!stored.ok()) return stored;
    return job;
  }

  void FillMetadata(api::ModelMetadata& metadata) const {
    const NetworkSpec& network = plan_.trainer.network;
    metadata.set_architecture(network.architecture);
    for (const std::string& name : data_.classes) metadata.add_classes(name);
    metadata.set_image_size(static_cast<uint32_t>(network.input.image_size));
    metadata.set_channels(static_cast<uint32_t>(network.input.channels));
    metadata.set_input(data_.input);
    for (const float value : network.mean) metadata.add_mean(value);
    for (const float value : network.standard_deviation) metadata.add_standard_deviation(value);
  }

  absl::Status StoreOutputs(AttemptContext& context, const ConfusionMatrix& matrix,
                            api::TrainResult& result) {
    const absl::StatusOr<std::string> weights = trainer_->Weights();
    if (!weights.ok()) return weights.status();
    absl::StatusOr<std::string> hash =
        Store(context, "weights.safetensors", "application/octet-stream", *weights);
    if (!hash.ok()) return hash.status();
    result.set_weights_artifact(*hash);
    hash = Store(context, "curves.csv", "text/csv", CurvesCsv(run_->position().history));
    if (!hash.ok() || data_.validation_indices.empty()) return hash.status();
    hash = Store(context, "confusion_matrix.json", "application/json", matrix.Json(data_.classes));
    if (!hash.ok()) return hash.status();
    return Store(context, "per_class.csv", "text/csv",
                 PerClassCsv({result.classes().begin(), result.classes().end()}))
        .status();
  }

  absl::StatusOr<std::string> Store(AttemptContext& context, const char* name,
                                    const char* media_type, const std::string& bytes) {
    const absl::StatusOr<ArtifactInfo> stored = PutBytes(context.artifacts(), bytes);
    if (!stored.ok()) return Annotate(stored.status(), absl::StrCat("storing ", name));
    api::OutputArtifact output;
    output.set_name(name);
    output.set_sha256(stored->sha256);
    output.set_size_bytes(stored->size_bytes);
    output.set_media_type(media_type);
    output.set_attempt(attempt_);
    context.AddOutput(std::move(output));
    return stored->sha256;
  }

  Clock& clock_;
  api::TrainSpec spec_;
  uint32_t attempt_ = 0;
  TrainPlan plan_;
  TrainingData data_;
  std::unique_ptr<Trainer> trainer_;
  std::optional<TrainingRun> run_;
};

}  // namespace

std::unique_ptr<Executor> MakeTrainExecutor(Clock& clock) {
  return std::make_unique<TrainExecutor>(clock);
}

}  // namespace switchyard::worker
