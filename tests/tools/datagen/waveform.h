// Radio signals at complex baseband, before the channel: what a transmitter sends. Frequencies are
// in cycles a sample, from -0.5 to 0.5; mean power while sending is about 1.
//
// Pure functions of the random source. The models follow the textbook definitions (Proakis and
// Salehi, Digital Communications): root raised cosine pulses for PSK and QAM, Gaussian frequency
// pulses for GFSK, cyclic prefix OFDM.
#pragma once

#include <complex>
#include <string>
#include <vector>

#include "tests/tools/datagen/random.h"

namespace switchyard::datagen {

using Signal = std::vector<std::complex<double>>;

struct WaveformClass {
  std::string label;
  // `size` samples, every parameter (rate, roll-off, deviation, hop pattern) drawn anew.
  Signal (*make)(Random& random, int size);
  // Largest carrier offset either way that keeps the signal inside the band.
  double most_offset = 0;
};

// bpsk, qpsk, qam16, gfsk, am, fm, ofdm, drone-hopping, drone-video. Pure noise is a class of its
// own, made by the channel alone.
const std::vector<WaveformClass>& WaveformClasses();

}  // namespace switchyard::datagen
