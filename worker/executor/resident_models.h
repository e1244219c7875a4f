// Models that a serving runner keeps loaded between attempts, as far as the runner's frame deals
// with them: how much they may take, and what they hold.
#pragma once

#include <cstdint>

namespace switchyard::worker {

// Thread-safe.
class ResidentModels {
 public:
  struct Held {
    int64_t bytes = 0;       // In use and idle.
    int64_t busy_bytes = 0;  // In use: they cannot go now.
    friend bool operator==(const Held&, const Held&) = default;
  };
  virtual ~ResidentModels() = default;
  // Evicts idle models, least recently used first, until they fit. What is in use stays and goes
  // when a later call (SetBudget, Trim, a load) finds it idle.
  virtual void SetBudget(int64_t bytes) = 0;
  // Evicts what is idle and over the budget; what is held then.
  virtual Held Trim() = 0;
};

}  // namespace switchyard::worker
