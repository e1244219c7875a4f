// Tenants that keep the site busy: each has jobs waiting all the time, or submits one now and then.
// For what only a long saturated run shows: shares, quotas, how long anything waits.
//
// Not thread-safe. Borrows the world. Meant for profiles without faults: it asks once.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "tests/simulation/profile.h"
#include "tests/simulation/random.h"
#include "tests/simulation/world.h"

namespace switchyard::simulation {

class TenantLoad {
 public:
  explicit TenantLoad(World& world) : world_(world), random_(world.random().Fork()) {}

  // Keeps every tenant of the profile at its load for the profile's fault_time_us.
  void Begin();
  // No job waits or runs.
  bool Done() const;

 private:
  void Fill();
  void Submit(const TenantProfile& tenant, uint64_t jobs);

  World& world_;
  Random random_;
  uint64_t next_number_ = 1;
  std::map<std::string, int64_t> next_us_;  // Of tenants that submit now and then.
};

}  // namespace switchyard::simulation
