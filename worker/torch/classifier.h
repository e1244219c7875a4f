// A trained network that classifies: the port between prediction and LibTorch.
//
// Thread-safe. Each calling thread has called UseDevice. Immutable once loaded.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "worker/torch/network.h"
#include "worker/torch/safetensors.h"

namespace switchyard::worker {

class Classifier {
 public:
  virtual ~Classifier() = default;
  virtual const NetworkSpec& network() const = 0;
  // Bytes its weights hold on the device.
  virtual int64_t size_bytes() const = 0;
  // `pixels` holds `count` samples of network().input.bytes() bytes. Gives count * classes softmax
  // probabilities, a sample after the other. RESOURCE_EXHAUSTED (OUT_OF_MEMORY) when memory ran
  // out.
  virtual absl::StatusOr<std::vector<float>> Classify(absl::Span<const uint8_t> pixels,
                                                      int count) = 0;
};

// Its weights count as no attempt's memory: they stay when the attempt that had them loaded ends.
// INVALID_ARGUMENT names the tensor that is missing or does not fit, or what CheckNetworkSpec
// finds.
absl::StatusOr<std::unique_ptr<Classifier>> LoadClassifier(const NetworkSpec& network,
                                                           const Safetensors& weights,
                                                           const std::string& device);

}  // namespace switchyard::worker
