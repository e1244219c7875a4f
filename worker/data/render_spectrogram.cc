#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "common/status/error.h"
#include "worker/data/fft.h"
#include "worker/data/render.h"

namespace switchyard::worker {
namespace {

using Samples = absl::Span<const std::complex<float>>;

constexpr size_t kFewestSamples = 64;
// Transforms per row of the picture, at most: bounds the work of a long segment, and averages
// enough of it.
constexpr int kFramesPerRow = 16;
// Decibels from black to white, beginning below the noise floor so that the floor's own shape is
// seen.
constexpr float kBelowFloorDb = 10;
constexpr float kSpanDb = 70;

absl::Status BadSamples(absl::string_view why) {
  return MakeError(absl::StatusCode::kInvalidArgument, "BAD_SAMPLES", why);
}

absl::Status CheckSamples(Samples samples) {
  if (samples.size() < kFewestSamples) {
    return BadSamples(absl::StrCat("the segment has ", samples.size(), " samples; at least ",
                                   kFewestSamples, " are needed"));
  }
  double power = 0;
  for (const std::complex<float>& sample : samples) power += std::norm(sample);
  if (!std::isfinite(power)) return BadSamples("the segment holds samples that are not finite");
  if (power == 0) return BadSamples("every sample of the segment is zero");
  return absl::OkStatus();
}

// Twice the picture's width for the signal itself. Powers of it are looked at for lines, which a
// longer transform lifts further out of the noise. Never longer than the segment.
int TransformSize(size_t samples, int image_size, int power) {
  const int wanted = (power == 1 ? 2 : 8) * image_size;
  int size = 64;
  while (size < wanted && size < 1024) size *= 2;
  while (static_cast<size_t>(size) > samples) size /= 2;
  return size;
}

std::vector<float> HannWindow(int size) {
  std::vector<float> window(size);
  for (int i = 0; i < size; ++i) {
    window[i] = static_cast<float>(0.5 - 0.5 * std::cos(2 * M_PI * (i + 0.5) / size));
  }
  return window;
}

// x to the given power (1, 2 or 4), scaled to unit mean power first so that large and small samples
// stay in range.
std::complex<float> Raise(std::complex<float> x, int power) {
  for (; power > 1; power /= 2) {
    x = {x.real() * x.real() - x.imag() * x.imag(), 2 * x.real() * x.imag()};
  }
  return x;
}

// Mean power of x^`power` per (row, bin), frequency shifted so that zero is in the middle.
class PowerGrid {
 public:
  PowerGrid(Samples samples, int rows, int power)
      : samples_(samples),
        rows_(rows),
        power_(power),
        fft_(TransformSize(samples.size(), rows, power)),
        window_(HannWindow(fft_.size())) {
    double sum = 0;
    for (const std::complex<float>& sample : samples) sum += std::norm(sample);
    gain_ = static_cast<float>(1 / std::sqrt(sum / static_cast<double>(samples.size())));
  }
  int bins() const { return fft_.size(); }

  // rows x bins().
  std::vector<float> Compute() const {
    std::vector<float> grid(static_cast<size_t>(rows_) * bins());
    for (int row = 0; row < rows_; ++row) {
      FillRow(row, grid.data() + static_cast<size_t>(row) * bins());
    }
    return grid;
  }

 private:
  void FillRow(int row, float* out) const {
    const int64_t last_start = static_cast<int64_t>(samples_.size()) - bins();
    const int64_t from = last_start * row / rows_;
    const int64_t to = last_start * (row + 1) / rows_;
    const int64_t hop = std::max<int64_t>({1, bins() / 4, (to - from) / kFramesPerRow});
    int frames = 0;
    for (int64_t at = from; at < to || at == from; at += hop, ++frames) AddFrame(at, out);
    for (int bin = 0; bin < bins(); ++bin) out[bin] /= static_cast<float>(frames);
  }

  void AddFrame(int64_t at, float* row) const {
    std::vector<std::complex<float>> block(bins());
    for (int i = 0; i < bins(); ++i) {
      block[i] = Raise(samples_[at + i] * gain_, power_) * window_[i];
    }
    fft_.Transform(block.data());
    for (int i = 0; i < bins(); ++i) row[(i + bins() / 2) % bins()] += std::norm(block[i]);
  }

  Samples samples_;
  int rows_;
  int power_;
  Fft fft_;
  std::vector<float> window_;
  float gain_ = 1;
};

// Bins to pixels: the strongest bin of a pixel when shrinking, the nearest when growing.
std::vector<float> FitWidth(const std::vector<float>& grid, int bins, int size) {
  std::vector<float> out(static_cast<size_t>(size) * size);
  for (int row = 0; row < size; ++row) {
    const float* from = grid.data() + static_cast<size_t>(row) * bins;
    for (int x = 0; x < size; ++x) {
      const int first = x * bins / size;
      const int end = std::max(first + 1, (x + 1) * bins / size);
      out[static_cast<size_t>(row) * size + x] = *std::max_element(from + first, from + end);
    }
  }
  return out;
}

// The noise floor is taken as the level a quarter of the pixels are under, but at least so high
// that the strongest pixel is not beyond white. Grey values count decibels from there.
void AppendGrey(std::vector<float> power, std::vector<uint8_t>& out) {
  for (float& value : power) value = 10 * std::log10(value + 1e-12f);
  std::vector<float> sorted = power;
  const auto quarter = sorted.begin() + static_cast<int64_t>(sorted.size() / 4);
  std::nth_element(sorted.begin(), quarter, sorted.end());
  const float peak = *std::max_element(power.begin(), power.end());
  const float floor = std::max(*quarter, peak - (kSpanDb - kBelowFloorDb));
  for (const float db : power) {
    const float grey = (db - floor + kBelowFloorDb) * 255 / kSpanDb;
    out.push_back(static_cast<uint8_t>(std::clamp(std::lround(grey), 0L, 255L)));
  }
}

}  // namespace

absl::StatusOr<std::vector<uint8_t>> RenderSpectrogram(Samples samples, const InputShape& shape) {
  const absl::Status status = CheckSamples(samples);
  if (!status.ok()) return status;
  std::vector<uint8_t> out;
  out.reserve(shape.bytes());
  for (int channel = 0; channel < shape.channels; ++channel) {
    const PowerGrid grid(samples, shape.image_size, 1 << channel);
    AppendGrey(FitWidth(grid.Compute(), grid.bins(), shape.image_size), out);
  }
  return out;
}

}  // namespace switchyard::worker
