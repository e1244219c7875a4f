#include "worker/tasks/train/training_data.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/status/error.h"
#include "worker/tasks/source/source.h"
#include "worker/tasks/train/shuffle.h"

namespace switchyard::worker {
namespace {

// Rendered samples kept in memory; past it they are rendered again each epoch.
constexpr int64_t kMostCachedBytes = int64_t{2} << 30;

absl::Status Bad(absl::string_view reason, absl::string_view message) {
  return MakeError(absl::StatusCode::kInvalidArgument, reason, message);
}

// An opened source with its labelled samples.
struct Listed {
  std::shared_ptr<FileTree> tree;
  api::Source::Format format = api::Source::IMAGE_FOLDER;
  std::vector<Sample> samples;
};

absl::StatusOr<Listed> ListSource(AttemptContext& context, const api::Source& source,
                                  const std::string& role) {
  absl::StatusOr<std::unique_ptr<FileTree>> tree = OpenSource(context, source, role);
  if (!tree.ok()) return Annotate(tree.status(), absl::StrCat(role, " source"));
  Listed listed;
  listed.tree = *std::move(tree);
  listed.format = source.format() == api::Source::FORMAT_UNSPECIFIED ? DetectFormat(*listed.tree)
                                                                     : source.format();
  int64_t left_out = 0;
  absl::StatusOr<std::vector<Sample>> samples = ListLabelled(*listed.tree, listed.format, left_out);
  if (!samples.ok()) return Annotate(samples.status(), absl::StrCat(role, " source"));
  listed.samples = *std::move(samples);
  if (left_out > 0) {
    context.Log(api::LogLine::WARNING, absl::StrCat(role, " source: ", left_out,
                                                    " files or segments without a class left out"));
  }
  return listed;
}

// The given classes, or those of the data, sorted. At least two must occur in the data.
absl::StatusOr<std::vector<std::string>> DecideClasses(const std::vector<std::string>& given,
                                                       const std::vector<Sample>& samples) {
  std::set<std::string> found;
  for (const Sample& sample : samples) found.insert(sample.label);
  if (found.size() < 2) {
    return Bad("ONE_CLASS", absl::StrCat("the training data has one class only, '", *found.begin(),
                                         "'; a classifier needs at least two (one folder, or one "
                                         "core:label, per class)"));
  }
  if (!given.empty()) return given;
  return std::vector<std::string>(found.begin(), found.end());
}

absl::StatusOr<std::vector<int32_t>> IndexLabels(const std::vector<Sample>& samples,
                                                 const std::vector<std::string>& classes) {
  std::map<std::string, int32_t> index;
  for (size_t i = 0; i < classes.size(); ++i) index[classes[i]] = static_cast<int32_t>(i);
  std::vector<int32_t> labels;
  for (const Sample& sample : samples) {
    const auto found = index.find(sample.label);
    if (found == index.end()) {
      return Bad("UNKNOWN_LABEL",
                 absl::StrCat("'", sample.name, "' has the label '", sample.label,
                              "', which is not among the classes: ", absl::StrJoin(classes, ", ")));
    }
    labels.push_back(found->second);
  }
  return labels;
}

// Holds out `fraction` of each class, drawn by seed; every class keeps at least one sample to learn
// from.
void Split(const TrainPlan& plan, TrainingData& data) {
  const std::vector<int32_t>& labels = data.train.labels();
  std::map<int32_t, size_t> sizes;
  for (const int32_t label : labels) ++sizes[label];
  std::map<int32_t, size_t> held_out;
  for (const auto& [label, size] : sizes) {
    const double share = plan.validation_fraction * static_cast<double>(size);
    held_out[label] = std::min(size - 1, static_cast<size_t>(std::lround(share)));
  }
  for (const uint32_t i : Permutation(data.train.size(), plan.trainer.seed, Stream::kSplit)) {
    const bool hold = held_out[labels[i]] > 0;
    if (hold) --held_out[labels[i]];
    (hold ? data.validation_indices : data.train_indices).push_back(i);
  }
  std::sort(data.train_indices.begin(), data.train_indices.end());
  std::sort(data.validation_indices.begin(), data.validation_indices.end());
}

// The control: training samples get one another's labels; validation samples keep their own.
void ShuffleTrainingLabels(const TrainPlan& plan, TrainingData& data) {
  const std::vector<uint32_t>& indices = data.train_indices;
  const std::vector<uint32_t> order =
      Permutation(static_cast<uint32_t>(indices.size()), plan.trainer.seed, Stream::kLabels);
  std::vector<int32_t> labels = data.train.labels();
  for (size_t i = 0; i < indices.size(); ++i) {
    labels[indices[i]] = data.train.labels()[indices[order[i]]];
  }
  data.train.set_labels(std::move(labels));
}

absl::StatusOr<SampleSet> LoadSet(AttemptContext& context, Listed listed,
                                  const std::vector<std::string>& classes,
                                  const InputShape& shape) {
  absl::StatusOr<std::vector<int32_t>> labels = IndexLabels(listed.samples, classes);
  if (!labels.ok()) return labels.status();
  return SampleSet::Load(context, std::move(listed.tree), std::move(listed.samples),
                         *std::move(labels), shape, kMostCachedBytes);
}

absl::Status LoadValidation(AttemptContext& context, const api::TrainSpec& spec,
                            const InputShape& shape, TrainingData& data) {
  absl::StatusOr<Listed> listed = ListSource(context, spec.validation(), "validation");
  if (!listed.ok()) return listed.status();
  if (listed->format != data.input) {
    return Bad("MIXED_FORMATS",
               absl::StrCat("the training data is ", api::Source::Format_Name(data.input),
                            " and the validation data ", api::Source::Format_Name(listed->format)));
  }
  absl::StatusOr<SampleSet> set = LoadSet(context, *std::move(listed), data.classes, shape);
  if (!set.ok()) return set.status();
  data.separate_validation = *std::move(set);
  for (uint32_t i = 0; i < data.separate_validation->size(); ++i) {
    data.validation_indices.push_back(i);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<TrainingData> LoadTrainingData(AttemptContext& context, const api::TrainSpec& spec,
                                              TrainPlan& plan) {
  absl::StatusOr<Listed> listed = ListSource(context, spec.train(), "train");
  if (!listed.ok()) return listed.status();
  absl::StatusOr<TrainPlan> planned = MakePlan(spec, listed->format, context.device().device);
  if (!planned.ok()) return planned.status();
  plan = *std::move(planned);
  absl::StatusOr<std::vector<std::string>> classes = DecideClasses(plan.classes, listed->samples);
  if (!classes.ok()) return classes.status();

  TrainingData data;
  data.input = listed->format;
  data.classes = *std::move(classes);
  const InputShape& shape = plan.trainer.network.input;
  absl::StatusOr<SampleSet> train = LoadSet(context, *std::move(listed), data.classes, shape);
  if (!train.ok()) return train.status();
  data.train = *std::move(train);
  Split(plan, data);
  if (spec.has_validation()) {
    const absl::Status loaded = LoadValidation(context, spec, shape, data);
    if (!loaded.ok()) return loaded;
  }
  if (plan.shuffle_labels) ShuffleTrainingLabels(plan, data);
  absl::StatusOr<ChannelStatistics> statistics = data.train.Statistics(data.train_indices);
  if (!statistics.ok()) return statistics.status();
  data.statistics = *std::move(statistics);
  NetworkSpec& network = plan.trainer.network;
  network.classes = static_cast<int>(data.classes.size());
  network.mean = data.statistics.mean;
  network.standard_deviation = data.statistics.standard_deviation;
  return data;
}

}  // namespace switchyard::worker
