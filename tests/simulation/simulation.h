// A whole run from a seed: the real engine and core over a store, a network, workers and clients
// that fail in every way they may, watched by checkers; then quiet, in which everything must come
// to its end.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tests/simulation/world.h"

namespace switchyard::simulation {

struct SimulationResult {
  uint64_t seed = 0;
  uint64_t events = 0;
  uint64_t faults = 0;
  uint64_t trace_hash = 0;
  int64_t simulated_us = 0;
  Counters counters;                    // `fault.*` by kind and `check.*` by checker among them.
  std::vector<std::string> violations;  // `CHECKER: what`.
};

SimulationResult RunSimulation(const SimulationOptions& options);

}  // namespace switchyard::simulation
