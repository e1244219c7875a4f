// Random numbers of generated traces: SplitMix64 (Steele, Lea and Flood 2014), alike on every
// platform, so that a seed names a trace. Not thread-safe.
#pragma once

#include <cmath>
#include <cstdint>

namespace switchyard::scheduler {

class TraceRandom {
 public:
  explicit TraceRandom(uint64_t seed) : state_(seed) {}
  uint64_t Next() {
    uint64_t z = state_ += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
  }
  // Above 0 and below 1.
  double Share() { return (static_cast<double>(Next() >> 11) + 0.5) * 0x1.0p-53; }
  bool Chance(double share) { return Share() < share; }
  // Mean 1.
  double Exponential() { return -std::log(Share()); }
  // Mean 0, deviation 1 (Box and Muller 1958).
  double Normal() {
    const double radius = std::sqrt(2 * Exponential());
    return radius * std::cos(6.283185307179586 * Share());
  }

 private:
  uint64_t state_;
};

}  // namespace switchyard::scheduler
