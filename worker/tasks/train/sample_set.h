// Labelled samples ready for a network: rendered once and kept as bytes while they fit, rendered
// anew where they do not.
//
// Used by one thread once loaded; loading uses several of its own.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "worker/data/render.h"
#include "worker/executor/executor.h"
#include "worker/tasks/source/file_tree.h"
#include "worker/tasks/source/sample.h"

namespace switchyard::worker {

// Mean and standard deviation of each channel, of pixels in [0, 1].
struct ChannelStatistics {
  std::vector<float> mean;
  std::vector<float> standard_deviation;
};

// Of a training's progress, what reading its data is: something has to move while it is read, since
// work whose progress stands still counts as stuck.
inline constexpr double kReadingShare = 0.01;

class SampleSet {
 public:
  // Reads every sample once, so that an unreadable one fails here, named, and not in the middle of
  // a training. `labels[i]` is the class of `samples[i]`. CANCELLED when the attempt is.
  static absl::StatusOr<SampleSet> Load(AttemptContext& context, std::shared_ptr<FileTree> tree,
                                        std::vector<Sample> samples, std::vector<int32_t> labels,
                                        const InputShape& shape, int64_t max_cached_bytes);

  uint32_t size() const { return static_cast<uint32_t>(samples_.size()); }
  const std::vector<int32_t>& labels() const { return labels_; }
  const Sample& sample(uint32_t i) const { return samples_[i]; }
  const InputShape& shape() const { return shape_; }
  // Replaces the labels (the shuffled control). REQUIRES: as many as samples.
  void set_labels(std::vector<int32_t> labels) { labels_ = std::move(labels); }

  // Appends the pixels of sample `i`. Fails only when a sample that did not fit the cache became
  // unreadable since.
  absl::Status AppendPixels(uint32_t i, std::vector<uint8_t>& out) const;

  // Over the samples `indices`. A channel that is the same everywhere gets deviation 1.
  absl::StatusOr<ChannelStatistics> Statistics(const std::vector<uint32_t>& indices) const;

 private:
  std::shared_ptr<FileTree> tree_;
  std::vector<Sample> samples_;
  std::vector<int32_t> labels_;
  InputShape shape_;
  std::vector<std::vector<uint8_t>> cache_;  // Empty where it did not fit.
};

}  // namespace switchyard::worker
