// Random numbers of a simulation: everything that happens by chance is drawn from one of these, so
// that a seed is a run. SplitMix64 (Steele, Lea and Flood, 2014): alike on every platform. Not
// thread-safe.
#pragma once

#include <cstdint>

namespace switchyard::simulation {

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t Next() {
    uint64_t z = state_ += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
  }
  // In [0, bound). REQUIRES: bound > 0.
  uint64_t Below(uint64_t bound) { return Next() % bound; }
  // In [low, high].
  int64_t Between(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(Below(static_cast<uint64_t>(high - low) + 1));
  }
  bool Chance(double share) { return static_cast<double>(Next() >> 11) * 0x1.0p-53 < share; }
  // For a part of the simulation of its own.
  Random Fork() { return Random(Next()); }

 private:
  uint64_t state_;
};

}  // namespace switchyard::simulation
