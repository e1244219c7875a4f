// Numbers drawn from a seed, the same on every machine: std's engines are fixed by the standard,
// its distributions are not. Not thread-safe.
#pragma once

#include <cmath>
#include <complex>
#include <cstdint>
#include <random>

namespace switchyard::datagen {

class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}
  // [0, 1).
  double Uniform() { return static_cast<double>(engine_() >> 11) * 0x1p-53; }
  double Uniform(double low, double high) { return low + (high - low) * Uniform(); }
  // 0 to bound - 1.
  int Below(int bound) { return static_cast<int>(Uniform() * bound); }
  // Standard normal (Box and Muller, 1958).
  double Normal() {
    const double radius = std::sqrt(-2 * std::log(1 - Uniform()));
    return radius * std::cos(2 * M_PI * Uniform());
  }
  // Circular, of mean power 1.
  std::complex<double> ComplexNormal() {
    const double real = Normal();
    return std::complex<double>(real, Normal()) * std::sqrt(0.5);
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace switchyard::datagen
