// A folder of labelled IQ recordings as SigMF pairs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace switchyard::datagen {

struct RecordingsOptions {
  std::string directory;  // Made when missing.
  uint64_t seed = 1;
  int per_class = 60;  // The signal-to-noise ratios take turns.
  std::vector<double> snr_db = {-5, 0, 5, 10, 15, 20};
  int samples = 8192;           // Of one recording, at least 64.
  double sample_rate_hz = 2e6;  // Only told, nothing depends on it.
};

// Writes LABEL_snr10_0007.sigmf-meta and .sigmf-data (ci16_le) with one annotation over the whole
// recording: its label and `switchyard:snr_db`; and labels.csv (item,label,snr_db) for those who
// score predictions. Recordings of `noise` have no ratio: LABEL_0007, an empty column. The same
// options give the same bytes.
absl::Status WriteRecordings(const RecordingsOptions& options);

}  // namespace switchyard::datagen
