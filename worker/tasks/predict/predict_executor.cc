#include "worker/tasks/predict/predict_executor.h"

#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <numeric>
#include <optional>

#include "absl/strings/str_cat.h"
#include "common/status/error.h"
#include "worker/tasks/predict/items.h"
#include "worker/tasks/source/source.h"
#include "worker/torch/device.h"
#include "worker/torch/safetensors.h"

namespace switchyard::worker {
namespace {

namespace wire = ::switchyard::worker::v1;

constexpr int64_t kMostWeightBytes = int64_t{8} << 30;
constexpr size_t kMostInlineBytes = 64 << 10;
constexpr uint32_t kDefaultTopK = 5;
// A batch that takes longer is halved, one that takes under half of it is doubled: a cancel waits
// for one at most.
constexpr absl::Duration kBatchTime = absl::Milliseconds(30);
constexpr size_t kMostBatch = 128;

NetworkSpec NetworkOf(const api::ModelMetadata& metadata) {
  NetworkSpec spec;
  spec.architecture = metadata.architecture();
  spec.classes = metadata.classes_size();
  spec.input.channels = static_cast<int>(metadata.channels());
  spec.input.image_size = static_cast<int>(metadata.image_size());
  spec.mean.assign(metadata.mean().begin(), metadata.mean().end());
  spec.standard_deviation.assign(metadata.standard_deviation().begin(),
                                 metadata.standard_deviation().end());
  return spec;
}

absl::StatusOr<ModelCache::Model> LoadModel(ArtifactStore& artifacts,
                                            const api::ModelVersion& version,
                                            const std::string& device) {
  const absl::StatusOr<std::string> bytes =
      GetBytes(artifacts, version.weights_artifact(), kMostWeightBytes);
  if (!bytes.ok()) return bytes.status();
  const absl::StatusOr<Safetensors> file = ReadSafetensors(*bytes);
  if (!file.ok()) return file.status();
  absl::StatusOr<std::unique_ptr<Classifier>> model =
      LoadClassifier(NetworkOf(version.metadata()), *file, device);
  if (!model.ok()) return model.status();
  return ModelCache::Model(*std::move(model));
}

// Best first; equal chances in class order.
void AddAnswers(const float* chances, const api::ModelMetadata& metadata, uint32_t top_k,
                api::ItemResult& result) {
  std::vector<int> order(static_cast<size_t>(metadata.classes_size()));
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [chances](int a, int b) { return chances[a] > chances[b]; });
  order.resize(std::min<size_t>(order.size(), top_k));
  for (const int i : order) {
    api::Answer& answer = *result.add_answers();
    answer.set_label(metadata.classes(i));
    answer.set_probability(chances[i]);
  }
}

class PredictExecutor final : public Executor {
 public:
  PredictExecutor(std::shared_ptr<ModelCache> models, Clock& clock)
      : models_(std::move(models)), clock_(clock) {}

  absl::Status Prepare(AttemptContext& context, const api::Job& job,
                       const wire::Assignment& assignment) override {
    if (context.gang().size > 1) {
      return MakeError(absl::StatusCode::kFailedPrecondition, "ONE_DEVICE_ONLY",
                       "predict uses one device; submit with device_count 1");
    }
    spec_ = job.predict();
    if (assignment.batch_limit() != 0) {
      most_batch_ = std::min<size_t>(kMostBatch, assignment.batch_limit());
    }
    context.SetBatch(static_cast<uint32_t>(most_batch_));
    version_ = assignment.model();
    attempt_ = assignment.ref().attempt();
    absl::Status status = UseDevice(context.device());
    if (!status.ok()) return status;
    // Metadata is part of the key: two versions may share weights and differ in class names.
    const std::string key = absl::StrCat(context.device().device, " ", version_.weights_artifact(),
                                         " ", version_.metadata().SerializeAsString());
    absl::StatusOr<ModelCache::Model> model = models_->Get(
        key, [&] { return LoadModel(context.artifacts(), version_, context.device().device); });
    if (!model.ok()) {
      return Annotate(model.status(), absl::StrCat("loading model ", version_.model(), " version ",
                                                   version_.version()));
    }
    model_ = *std::move(model);
    return OpenItems(context);
  }

  absl::StatusOr<api::Job> Run(AttemptContext& context) override {
    absl::Status status = UseDevice(context.device());
    if (!status.ok()) return status;
    context.SetPhase(api::Job::WORKING);
    while (!items_->Done()) {
      status = RunBatch(context);
      if (!status.ok()) return status;
      context.Progress(items_->Fraction(), absl::StrCat(result_.items_size(), " items"));
    }
    return Conclude(context);
  }

 private:
  absl::Status OpenItems(AttemptContext& context) {
    std::shared_ptr<FileTree> tree;
    if (spec_.has_source()) {
      absl::StatusOr<std::unique_ptr<FileTree>> opened =
          OpenSource(context, spec_.source(), "source");
      if (!opened.ok()) return opened.status();
      tree = *std::move(opened);
    } else {
      tree = MakeMemoryTree({{"", spec_.data()}});
    }
    items_.emplace(std::move(tree), version_.metadata().input(), model_->network().input);
    if (!items_->Done()) return absl::OkStatus();
    return MakeError(absl::StatusCode::kInvalidArgument, "EMPTY_DATA_SET",
                     "the source holds nothing to classify: .png, .jpg, .jpeg, .bmp, "
                     ".sigmf-meta and .sigmf files are looked for");
  }

  // Takes up to a batch of items, in order. Each gets its place in the result at once; those that
  // render are computed.
  absl::Status RunBatch(AttemptContext& context) {
    std::vector<uint8_t> pixels;
    std::vector<int> places;
    const absl::Duration start = clock_.BootTime();
    while (!items_->Done() && places.size() < batch_size_) {
      if (context.Cancelled()) return absl::CancelledError("cancelled");
      Take(pixels, places);
      if (clock_.BootTime() - start > kBatchTime) break;
    }
    if (places.empty()) return absl::OkStatus();
    context.YieldPoint();
    return Classify(pixels, places);
  }

  void Take(std::vector<uint8_t>& pixels, std::vector<int>& places) {
    Item item = items_->Next();
    api::ItemResult& result = *result_.add_items();
    result.set_item(item.name);
    if (item.pixels.ok()) {
      pixels.insert(pixels.end(), item.pixels->begin(), item.pixels->end());
      places.push_back(result_.items_size() - 1);
      return;
    }
    if (first_error_.ok()) first_error_ = item.pixels.status();
    result.set_error(std::string(item.pixels.status().message()));
    ++errors_;
  }

  absl::Status Classify(const std::vector<uint8_t>& pixels, const std::vector<int>& places) {
    const absl::Duration start = clock_.BootTime();
    const absl::StatusOr<std::vector<float>> chances =
        model_->Classify(pixels, static_cast<int>(places.size()));
    if (!chances.ok()) return chances.status();
    const uint32_t top_k = spec_.top_k() == 0 ? kDefaultTopK : spec_.top_k();
    const auto classes = static_cast<size_t>(version_.metadata().classes_size());
    for (size_t i = 0; i < places.size(); ++i) {
      AddAnswers(chances->data() + i * classes, version_.metadata(), top_k,
                 *result_.mutable_items(places[i]));
    }
    const absl::Duration took = clock_.BootTime() - start;
    if (took > kBatchTime) batch_size_ = std::max<size_t>(1, batch_size_ / 2);
    if (took < kBatchTime / 2) batch_size_ = std::min(most_batch_, batch_size_ * 2);
    return absl::OkStatus();
  }

  absl::StatusOr<api::Job> Conclude(AttemptContext& context) {
    const auto count = static_cast<uint64_t>(result_.items_size());
    if (errors_ == count) {
      if (count == 1) return first_error_;
      return Annotate(first_error_, absl::StrCat("all ", count, " items failed, the first with"));
    }
    result_.set_model(version_.model());
    result_.set_version(version_.version());
    result_.set_item_count(count);
    result_.set_error_count(errors_);
    if (result_.ByteSizeLong() > kMostInlineBytes) {
      const absl::Status stored = StoreItems(context);
      if (!stored.ok()) return stored;
    }
    api::Job job;
    job.mutable_predict_result()->Swap(&result_);
    return job;
  }

  absl::Status StoreItems(AttemptContext& context) {
    std::string lines;
    for (const api::ItemResult& item : result_.items()) {
      std::string line;
      const auto status = google::protobuf::util::MessageToJsonString(item, &line);
      if (!status.ok()) return absl::InternalError(std::string(status.message()));
      absl::StrAppend(&lines, line, "\n");
    }
    const absl::StatusOr<ArtifactInfo> stored = PutBytes(context.artifacts(), lines);
    if (!stored.ok()) return Annotate(stored.status(), "storing items.jsonl");
    api::OutputArtifact output;
    output.set_name("items.jsonl");
    output.set_sha256(stored->sha256);
    output.set_size_bytes(stored->size_bytes);
    output.set_media_type("application/x-ndjson");
    output.set_attempt(attempt_);
    context.AddOutput(std::move(output));
    result_.clear_items();
    result_.set_items_artifact(stored->sha256);
    return absl::OkStatus();
  }

  const std::shared_ptr<ModelCache> models_;
  Clock& clock_;
  api::PredictSpec spec_;
  api::ModelVersion version_;
  uint32_t attempt_ = 0;
  ModelCache::Model model_;
  std::optional<ItemStream> items_;
  size_t most_batch_ = kMostBatch;  // Less where memory ran out with more.
  size_t batch_size_ = 1;
  api::PredictResult result_;
  uint64_t errors_ = 0;
  absl::Status first_error_;
};

}  // namespace

std::unique_ptr<Executor> MakePredictExecutor(std::shared_ptr<ModelCache> models, Clock& clock) {
  return std::make_unique<PredictExecutor>(std::move(models), clock);
}

}  // namespace switchyard::worker
