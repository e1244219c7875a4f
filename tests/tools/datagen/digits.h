// Turns the UCI optical digits into image folders: one for training, one held out.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"

namespace switchyard::datagen {

struct DigitsOptions {
  std::string csv_gz;     // 64 pixel columns of 0 to 16, the label last; gzip.
  std::string train_dir;  // Made when missing.
  std::string test_dir;
  double test_fraction = 0.2;  // Of each class, drawn by seed.
  uint64_t seed = 0;
};

// Writes DIR/<digit>/<line>.png, 8x8 grey. INVALID_ARGUMENT names the line that cannot be read.
absl::Status WriteDigits(const DigitsOptions& options);

}  // namespace switchyard::datagen
