// Turns a picture or a stretch of IQ samples into what a network takes: channels x size x size
// bytes, one plane after the other. Bytes, because a cached training set then costs a quarter of
// floats; networks scale them to [0, 1]. Thread-safe: pure functions.
#pragma once

#include <complex>
#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "worker/data/image.h"

namespace switchyard::worker {

// Shape of a network's input.
struct InputShape {
  int channels = 3;     // 1 or 3.
  int image_size = 32;  // Height and width, pixels.
  size_t bytes() const { return static_cast<size_t>(channels) * image_size * image_size; }
};

// Resizes by area averaging when shrinking and bilinearly when growing (a triangle filter as wide
// as the larger of the two pixel grids, as Pillow's BILINEAR). Grey is repeated into RGB; RGB
// becomes grey by ITU-R BT.601 weights.
std::vector<uint8_t> RenderImage(const Image& image, const InputShape& shape);

// A spectrogram: time downwards, frequency rightwards from -fs/2 to fs/2, log power from the noise
// floor up.
//
// Channel 0 is the power of x. With 3 channels, channels 1 and 2 are those of x^2 and x^4: raising
// to the M-th power strips M-fold phase modulation, so BPSK leaves a line in x^2 and QPSK in x^4
// that the plain spectrogram, equal for both, cannot show (the classical M-th power estimator,
// Viterbi and Viterbi 1983).
//
// INVALID_ARGUMENT with fewer than 64 samples, or when every sample is zero or one is not finite.
absl::StatusOr<std::vector<uint8_t>> RenderSpectrogram(
    absl::Span<const std::complex<float>> samples, const InputShape& shape);

}  // namespace switchyard::worker
