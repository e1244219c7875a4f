#include "tests/tools/datagen/channel.h"

namespace switchyard::datagen {
namespace {

struct Path {
  int delay;
  std::complex<double> gain;
  double doppler;  // Cycles a sample.
};

std::vector<Path> DrawPaths(Random& random) {
  std::vector<Path> paths = {{0, std::polar(1.0, 2 * M_PI * random.Uniform()), 0}};
  const int more = random.Below(3);
  for (int i = 0; i < more; ++i) {
    const double gain = std::pow(10, -random.Uniform(8, 20) / 20);
    paths.push_back(
        {1 + random.Below(3), gain * random.ComplexNormal(), random.Uniform(-1, 1) * 1e-4});
  }
  return paths;
}

Signal Fade(Random& random, const Signal& sent) {
  Signal out(sent.size());
  for (const Path& path : DrawPaths(random)) {
    for (size_t n = static_cast<size_t>(path.delay); n < sent.size(); ++n) {
      out[n] += path.gain * sent[n - path.delay] *
                std::polar(1.0, 2 * M_PI * path.doppler * static_cast<double>(n));
    }
  }
  return out;
}

// Pauses of bursts do not count.
double PowerWhileSending(const Signal& signal) {
  double sum = 0;
  size_t count = 0;
  for (const std::complex<double>& sample : signal) {
    if (std::norm(sample) < 1e-3) continue;
    sum += std::norm(sample);
    ++count;
  }
  return count == 0 ? 1 : sum / static_cast<double>(count);
}

}  // namespace

Signal PassChannel(Random& random, const Signal& sent, const ChannelOptions& options) {
  Signal signal = Fade(random, sent);
  const double gain = std::sqrt(std::pow(10, options.snr_db / 10) / PowerWhileSending(signal));
  const double offset = random.Uniform(-options.most_offset, options.most_offset);
  const double phase_step = random.Uniform(0.001, 0.008);
  double phase = 0;
  for (std::complex<double>& sample : signal) {
    sample = gain * sample * std::polar(1.0, phase) + random.ComplexNormal();
    phase += 2 * M_PI * offset + phase_step * random.Normal();
  }
  return signal;
}

Signal NoiseOnly(Random& random, int size) {
  Signal noise(size);
  for (std::complex<double>& sample : noise) sample = random.ComplexNormal();
  return noise;
}

}  // namespace switchyard::datagen
