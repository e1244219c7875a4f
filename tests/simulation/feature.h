// What may be asked of a simulated site beside jobs that come, run and fail. Each seed draws its
// own set, so that a promise is tested with every combination, and the seeds that find something
// say what it takes. Values; thread-compatible.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>

namespace switchyard::simulation {

enum class Feature : uint8_t {
  kMemory,        // Jobs need memory of devices, stated or not.
  kGangs,         // Some need several devices at the same time.
  kStuck,         // Some hang, showing no progress.
  kDependencies,  // Jobs of a submit wait for others of it.
  kArrays,        // Submits are arrays with a width.
  kPreemption,    // More urgent work takes devices from less urgent work.
  kCordons,       // Operators cordon and drain workers.
  kLimits,        // Operators change limits.
  kInteractive,   // Requests that are no jobs use devices too.
};

inline constexpr std::array<const char*, 9> kFeatureNames = {
    "memory",     "gangs",   "stuck",  "dependencies", "arrays",
    "preemption", "cordons", "limits", "interactive"};

class Features {
 public:
  constexpr Features() = default;
  constexpr Features(std::initializer_list<Feature> features) {
    for (const Feature each : features) Add(each);
  }
  static constexpr Features All() { return Features((1u << kFeatureNames.size()) - 1); }
  explicit constexpr Features(uint32_t bits) : bits_(bits) {}

  constexpr bool Has(Feature feature) const { return bits_ >> static_cast<int>(feature) & 1; }
  constexpr void Add(Feature feature) { bits_ |= 1u << static_cast<int>(feature); }
  constexpr void Remove(Feature feature) { bits_ &= ~(1u << static_cast<int>(feature)); }
  constexpr uint32_t bits() const { return bits_; }

 private:
  uint32_t bits_ = 0;
};

}  // namespace switchyard::simulation
