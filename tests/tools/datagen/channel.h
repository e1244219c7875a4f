// What happens to a signal between transmitter and recording: multipath fading, carrier offset,
// phase noise, noise. Pure function of the random source.
#pragma once

#include "tests/tools/datagen/waveform.h"

namespace switchyard::datagen {

struct ChannelOptions {
  double snr_db =
      10;  // Mean power of the signal while sending over that of the noise in the whole band.
  double most_offset = 0.1;  // Carrier offset is drawn from both sides of zero, cycles a sample.
};

// Rician fading over up to three paths, the later ones 8 to 20 dB weaker and up to 3 samples late,
// each slowly turning; a carrier offset; phase noise as a random walk of 1 to 8 milliradians a
// sample; white Gaussian noise of power 1.
Signal PassChannel(Random& random, const Signal& sent, const ChannelOptions& options);

// White Gaussian noise alone, of power 1.
Signal NoiseOnly(Random& random, int size);

}  // namespace switchyard::datagen
