// Trains one classifier: the port between the training loop (which knows data, epochs and
// checkpoints) and LibTorch.
//
// Used by one thread, which has called UseDevice. Errors: RESOURCE_EXHAUSTED with reason
// OUT_OF_MEMORY when memory ran out; INTERNAL with torch's first line for anything else torch
// throws.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "worker/torch/network.h"
#include "worker/torch/safetensors.h"

namespace switchyard::worker {

enum class UpdateRule { kSgd, kAdam, kAdamW };

struct TrainerOptions {
  NetworkSpec network;
  std::string device = "cpu";
  UpdateRule rule = UpdateRule::kAdam;
  double weight_decay = 0;
  uint64_t seed = 0;  // Of the initial weights.
};

// Inputs of one step: `labels.size()` samples of `network.input.bytes()` bytes each, one after the
// other.
struct Batch {
  absl::Span<const uint8_t> pixels;
  absl::Span<const int32_t> labels;
};

struct BatchOutcome {
  double loss_sum = 0;               // Cross-entropy, summed over the samples.
  std::vector<int32_t> predictions;  // Most probable class of each sample.
};

class Trainer {
 public:
  virtual ~Trainer() = default;

  // One step of the optimiser, of size `learning_rate`. The outcome is that of the weights before
  // the step. The batch is computed in parts that end at `part_ends` (ascending, the last one at
  // the batch's size; empty: in one), whose gradients are summed: less memory for the same step,
  // but that batch normalisation takes its statistics over each part.
  virtual absl::StatusOr<BatchOutcome> Step(const Batch& batch, double learning_rate,
                                            absl::Span<const size_t> part_ends) = 0;
  absl::StatusOr<BatchOutcome> Step(const Batch& batch, double learning_rate) {
    return Step(batch, learning_rate, {});
  }
  // Forward only, with the statistics learned so far.
  virtual absl::StatusOr<BatchOutcome> Evaluate(const Batch& batch) = 0;

  // The weights alone, as a safetensors file.
  virtual absl::StatusOr<std::string> Weights() = 0;
  // Weights and optimiser, and `metadata` beside them: all that Restore needs to go on bit for bit.
  virtual absl::StatusOr<std::string> State(const std::map<std::string, std::string>& metadata) = 0;

  // Starts from weights of the same architecture. A last layer for another number of classes keeps
  // its own fresh weights; the result says whether that was so. INVALID_ARGUMENT names the tensor
  // that is missing or has another shape.
  virtual absl::StatusOr<bool> LoadWeights(const Safetensors& weights) = 0;
  // Goes on from what State gave. INVALID_ARGUMENT as LoadWeights.
  virtual absl::Status Restore(const Safetensors& state) = 0;
};

// INVALID_ARGUMENT as CheckNetworkSpec.
absl::StatusOr<std::unique_ptr<Trainer>> MakeTrainer(const TrainerOptions& options);

}  // namespace switchyard::worker
