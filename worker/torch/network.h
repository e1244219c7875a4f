// What a network is, as its users see it. Plain data; no torch.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "worker/data/render.h"

namespace switchyard::worker {

// Everything that fixes a network's tensors and what it expects of its input.
struct NetworkSpec {
  std::string architecture;  // A name of the table in architectures.cc.
  int classes = 0;           // At least 1.
  InputShape input;
  // Per channel of the input scaled to [0, 1]: subtracted, then divided by.
  std::vector<float> mean;
  std::vector<float> standard_deviation;
};

// Names of all architectures, sorted.
std::vector<std::string> ArchitectureNames();

// The side of the input a job gets that names none. 0 for an unknown architecture.
int DefaultImageSize(absl::string_view architecture);

// INVALID_ARGUMENT naming what is wrong: an unknown architecture (with those there are), too small
// an input, mean and deviation that do not fit the channels.
absl::Status CheckNetworkSpec(const NetworkSpec& spec);

}  // namespace switchyard::worker
