#include "tests/tools/datagen/waveform.h"

#include <algorithm>

namespace switchyard::datagen {
namespace {

using Complex = std::complex<double>;

Complex Turn(double cycles) { return std::polar(1.0, 2 * M_PI * cycles); }

// Root raised cosine, t in symbols (Proakis and Salehi, 9.2).
double RootRaisedCosine(double t, double roll_off) {
  if (std::abs(t) < 1e-8) return 1 - roll_off + 4 * roll_off / M_PI;
  const double edge = 4 * roll_off * t;
  if (std::abs(std::abs(edge) - 1) < 1e-6) {
    const double a = M_PI / (4 * roll_off);
    return roll_off / std::sqrt(2.0) *
           ((1 + 2 / M_PI) * std::sin(a) + (1 - 2 / M_PI) * std::cos(a));
  }
  return (std::sin(M_PI * t * (1 - roll_off)) + edge * std::cos(M_PI * t * (1 + roll_off))) /
         (M_PI * t * (1 - edge * edge));
}

// Symbols of mean power 1.
Complex PskSymbol(Random& random, int order) {
  return Turn((random.Below(order) + (order == 4 ? 0.5 : 0)) / order);
}
Complex Qam16Symbol(Random& random) {
  const double scale = 1 / std::sqrt(10.0);
  return {(2 * random.Below(4) - 3) * scale, (2 * random.Below(4) - 3) * scale};
}

template <typename Draw>
Signal Linear(Random& random, int size, Draw draw) {
  constexpr int kSpan = 8;  // Symbols a pulse reaches either way.
  const double samples_per_symbol = random.Uniform(4, 10);
  const double roll_off = random.Uniform(0.2, 0.5);
  const double delay = random.Uniform();
  std::vector<Complex> symbols;
  const int count = static_cast<int>(size / samples_per_symbol) + 2 * kSpan + 2;
  for (int i = 0; i < count; ++i) symbols.push_back(draw(random));
  Signal signal(size);
  for (int n = 0; n < size; ++n) {
    const double t = n / samples_per_symbol + delay;
    const int centre = static_cast<int>(t);
    for (int k = centre - kSpan; k <= centre + kSpan; ++k) {
      signal[n] += symbols[k + kSpan] * RootRaisedCosine(t - k, roll_off);
    }
  }
  return signal;
}

Signal Bpsk(Random& random, int size) {
  return Linear(random, size, [](Random& r) { return PskSymbol(r, 2); });
}
Signal Qpsk(Random& random, int size) {
  return Linear(random, size, [](Random& r) { return PskSymbol(r, 4); });
}
Signal Qam16(Random& random, int size) { return Linear(random, size, Qam16Symbol); }

struct GfskShape {
  double samples_per_symbol;
  double index;  // Modulation index h.
  double bandwidth_time = 0.5;
};

// Gaussian frequency shift keying: bits as smoothed steps of frequency.
Signal GfskBurst(Random& random, int size, const GfskShape& shape) {
  const double sigma = std::sqrt(std::log(2.0)) / (2 * M_PI * shape.bandwidth_time);  // In symbols.
  const int count = static_cast<int>(size / shape.samples_per_symbol) + 4;
  std::vector<double> bits;
  for (int i = 0; i < count; ++i) bits.push_back(random.Below(2) == 0 ? -1 : 1);
  Signal signal(size);
  double phase = random.Uniform();
  for (int n = 0; n < size; ++n) {
    const double t = n / shape.samples_per_symbol + 1;
    const int k = static_cast<int>(t);
    double level = 0;
    for (int j = std::max(0, k - 2); j <= std::min(count - 1, k + 2); ++j) {
      const double from = (t - j) / (sigma * std::sqrt(2.0));
      const double to = (t - j - 1) / (sigma * std::sqrt(2.0));
      level += bits[j] * 0.5 * (std::erf(from) - std::erf(to));
    }
    phase += level * shape.index / (2 * shape.samples_per_symbol);
    signal[n] = Turn(phase);
  }
  return signal;
}

Signal Gfsk(Random& random, int size) {
  return GfskBurst(random, size, {random.Uniform(6, 16), random.Uniform(0.5, 1.0)});
}

// Something like speech or music: a few tones whose strength comes and goes, between -1 and 1.
std::vector<double> Audio(Random& random, int size, double highest) {
  std::vector<double> audio(size);
  const int tones = 3 + random.Below(4);
  for (int i = 0; i < tones; ++i) {
    const double frequency = random.Uniform(0.1, 1) * highest;
    const double phase = random.Uniform();
    const double swell = random.Uniform(0.5, 3) / size;
    const double swell_phase = random.Uniform();
    for (int n = 0; n < size; ++n) {
      const double strength = 0.5 + 0.5 * std::sin(2 * M_PI * (swell * n + swell_phase));
      audio[n] += strength * std::sin(2 * M_PI * (frequency * n + phase));
    }
  }
  double peak = 1e-9;
  for (const double value : audio) peak = std::max(peak, std::abs(value));
  for (double& value : audio) value /= peak;
  return audio;
}

Signal Am(Random& random, int size) {
  const double depth = random.Uniform(0.5, 0.95);
  const std::vector<double> audio = Audio(random, size, random.Uniform(0.02, 0.06));
  Signal signal(size);
  for (int n = 0; n < size; ++n) signal[n] = 1 + depth * audio[n];
  return signal;
}

Signal Fm(Random& random, int size) {
  const double deviation = random.Uniform(0.04, 0.12);
  const std::vector<double> audio = Audio(random, size, random.Uniform(0.004, 0.015));
  Signal signal(size);
  double phase = random.Uniform();
  for (int n = 0; n < size; ++n) {
    phase += deviation * audio[n];
    signal[n] = Turn(phase);
  }
  return signal;
}

// OFDM with a cyclic prefix, `width` of the band wide.
Signal OfdmOf(Random& random, int size, double width) {
  const int carriers = 24 + 8 * random.Below(4);
  const double spacing = width / carriers;
  const int useful = static_cast<int>(1 / spacing);
  const int prefix = useful / (random.Below(2) == 0 ? 4 : 8);
  const bool dense = random.Below(2) == 0;
  const double scale = 1 / std::sqrt(carriers);
  Signal signal(size);
  int start = -random.Below(useful);
  for (; start < size; start += useful + prefix) {
    for (int c = 0; c < carriers; ++c) {
      const Complex symbol = dense ? Qam16Symbol(random) : PskSymbol(random, 4);
      // One rotation a sample, from the beginning of the prefix.
      const double frequency = (c - (carriers - 1) / 2.0) / useful;
      Complex value = symbol * scale * Turn(-frequency * prefix);
      const Complex step = Turn(frequency);
      for (int n = start; n < std::min(size, start + useful + prefix); ++n, value *= step) {
        if (n >= 0) signal[n] += value;
      }
    }
  }
  return signal;
}

Signal Ofdm(Random& random, int size) { return OfdmOf(random, size, random.Uniform(0.25, 0.5)); }

void AddAt(const Signal& burst, int at, double frequency, double gain, Signal& signal) {
  for (size_t i = 0; i < burst.size() && at + i < signal.size(); ++i) {
    signal[at + i] += gain * burst[i] * Turn(frequency * static_cast<double>(i));
  }
}

// A remote control's link: short GFSK bursts, each on another channel of a grid, with pauses
// between them.
void AddHops(Random& random, double low, double high, double gain, Signal& signal) {
  const int channels = 8 + random.Below(12);
  const int dwell = 300 + random.Below(500);
  const int pause = 30 + random.Below(200);
  const GfskShape shape = {random.Uniform(10, 20), random.Uniform(0.4, 0.7)};
  const int size = static_cast<int>(signal.size());
  for (int at = -random.Below(dwell); at < size; at += dwell + pause) {
    const double frequency = low + (high - low) * random.Below(channels) / (channels - 1);
    const int skipped = std::max(0, -at);
    const Signal burst = GfskBurst(random, dwell - skipped, shape);
    AddAt(burst, at + skipped, frequency, gain, signal);
  }
}

Signal DroneHopping(Random& random, int size) {
  Signal signal(size);
  AddHops(random, -0.42, 0.42, 1, signal);
  return signal;
}

// A camera drone: a wide OFDM downlink in frames with gaps, and the hopping control link in what is
// left of the band.
Signal DroneVideo(Random& random, int size) {
  const double width = random.Uniform(0.25, 0.4);
  const double centre = random.Uniform(-0.12, 0.12);
  const Signal video = OfdmOf(random, size, width);
  const int frame = 1200 + random.Below(1500);
  const int gap = 80 + random.Below(240);
  const int shift = random.Below(frame);
  Signal signal(size);
  for (int n = 0; n < size; ++n) {
    if ((n + shift) % frame >= gap) signal[n] = video[n] * Turn(centre * n);
  }
  const bool above = centre < 0;
  const double edge = centre + (above ? 0.6 : -0.6) * width;
  AddHops(random, above ? edge : -0.44, above ? 0.44 : edge, random.Uniform(0.5, 0.9), signal);
  return signal;
}

}  // namespace

const std::vector<WaveformClass>& WaveformClasses() {
  static const auto& classes = *new std::vector<WaveformClass>{
      {"bpsk", Bpsk, 0.2},
      {"qpsk", Qpsk, 0.2},
      {"qam16", Qam16, 0.2},
      {"gfsk", Gfsk, 0.25},
      {"am", Am, 0.3},
      {"fm", Fm, 0.25},
      {"ofdm", Ofdm, 0.15},
      {"drone-hopping", DroneHopping, 0.03},
      {"drone-video", DroneVideo, 0.02},
  };
  return classes;
}

}  // namespace switchyard::datagen
