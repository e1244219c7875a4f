// How far a training is, and its way into a checkpoint and back without losing a bit.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace switchyard::worker {

// Sums over samples; a mean is made of them only for showing.
struct Tally {
  double loss_sum = 0;
  uint64_t right = 0;
  uint64_t samples = 0;
  double mean_loss() const { return samples == 0 ? 0 : loss_sum / static_cast<double>(samples); }
  double accuracy() const {
    return samples == 0 ? 0 : static_cast<double>(right) / static_cast<double>(samples);
  }
};

// One finished epoch.
struct EpochFigures {
  Tally train;
  Tally validation;
};

struct Position {
  uint32_t epoch = 0;  // Epochs finished.
  uint32_t batch = 0;  // Batches done of the one under way.
  uint64_t step = 0;   // Batches done in all.
  Tally tally;         // Of the epoch under way.
  std::vector<EpochFigures> history;
};

// As strings for a safetensors file's metadata. `fingerprint` names what the checkpoint belongs to.
std::map<std::string, std::string> EncodePosition(const Position& position,
                                                  const std::string& fingerprint);

// INVALID_ARGUMENT (reason WRONG_CHECKPOINT) when the metadata is no position or of another
// fingerprint.
absl::StatusOr<Position> DecodePosition(const std::map<std::string, std::string>& metadata,
                                        const std::string& fingerprint);

}  // namespace switchyard::worker
