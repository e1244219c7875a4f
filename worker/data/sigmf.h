// SigMF recordings (github.com/sigmf/SigMF, version 1.x): metadata in JSON, samples in a file
// beside it. Thread-safe: pure functions, made for untrusted bytes.
#pragma once

#include <complex>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace switchyard::worker {

// How one sample lies in the data file: `core:datatype` ([c|r] [f|i|u] bits [_le|_be]).
struct SampleType {
  enum class Number { kFloat, kSigned, kUnsigned };
  bool complex = true;
  Number number = Number::kFloat;
  int bits = 32;  // Of one number: 8, 16, 32, 64 (64 for floats only).
  bool big_endian = false;
  size_t bytes_per_sample() const { return static_cast<size_t>(bits / 8) * (complex ? 2 : 1); }
};

// INVALID_ARGUMENT names the text and says what is read.
absl::StatusOr<SampleType> ParseSampleType(absl::string_view text);

// Floats as they are; signed integers divided by full scale; unsigned ones moved to be centred on
// zero first. Real samples get a zero imaginary part. A trailing part of a sample is ignored.
std::vector<std::complex<float>> ConvertSamples(absl::string_view bytes, const SampleType& type);

// A stretch of a recording with what is known about it.
struct SigmfAnnotation {
  int64_t sample_start = 0;
  int64_t sample_count = -1;  // -1: up to the end of the recording.
  std::string label;          // `core:label`, may be empty.
};

struct SigmfMetadata {
  SampleType type;
  double sample_rate_hz = 0;  // 0: not given.
  int64_t header_bytes = 0;   // `core:header_bytes` of the first capture: skipped in the data file.
  std::vector<SigmfAnnotation> annotations;
};

// INVALID_ARGUMENT says what is missing or wrong. Recordings of several channels are refused.
absl::StatusOr<SigmfMetadata> ParseSigmfMetadata(absl::string_view json);

}  // namespace switchyard::worker
