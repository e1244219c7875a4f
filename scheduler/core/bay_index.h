// Free places by host, for jobs that need several at the same time. Internal to the core.
//
// A bay is the places of one host that are alike for a gang: same class, GPUs or processors, same
// kinds. Bays stand in lists by how many of their places are free, so that the host that fits best
// among 10,000 is found in a few steps, and a place that becomes busy or free costs one move.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "scheduler/core/slab.h"
#include "scheduler/core/types.h"

namespace switchyard::scheduler {

// Bays a gang may be spread over.
struct BayFamily {
  JobClass job_class = JobClass::kUnspecified;
  bool gpu = false;
  uint64_t kinds = 0;  // Bit: the workers run the kind.
  friend bool operator==(const BayFamily&, const BayFamily&) = default;
};

// Not thread-safe. Places are pools, by number.
class BayIndex {
 public:
  void Add(uint32_t pool, uint32_t host, const BayFamily& family);
  void Remove(uint32_t pool);
  // REQUIRES: was added.
  void SetFree(uint32_t pool, bool free);

  // Free places for a gang of `count`, those of one host together: of one host where one has
  // enough, the one with the fewest free; else of as few hosts as possible. `wanted` says which
  // families count, `fits` which free places do. Empty: there are not enough.
  std::vector<uint32_t> Choose(uint32_t count, absl::FunctionRef<bool(const BayFamily&)> wanted,
                               absl::FunctionRef<bool(uint32_t)> fits) const;

 private:
  struct Bay {
    uint32_t family = 0;
    uint32_t host = 0;
    std::vector<uint32_t> pools;  // All of them.
    uint32_t free = 0;
    uint32_t previous = kNone;
    uint32_t next = kNone;
  };
  struct Family {
    BayFamily name;
    std::vector<uint32_t> heads;  // By free places; [0] is not kept.
  };
  struct Place {
    uint32_t bay = kNone;
    uint32_t position = 0;  // In the bay.
    bool free = false;
  };

  uint32_t FamilyNumber(const BayFamily& name);
  void List(uint32_t bay);
  void Unlist(uint32_t bay);
  std::vector<uint32_t> Usable(const Bay& bay, absl::FunctionRef<bool(uint32_t)> fits) const;
  std::vector<uint32_t> OneHost(uint32_t count, absl::FunctionRef<bool(const BayFamily&)> wanted,
                                absl::FunctionRef<bool(uint32_t)> fits) const;

  std::vector<Place> places_;  // By pool.
  std::vector<Bay> bays_;
  std::vector<Family> families_;
  // Looked up only, never iterated: its order is random.
  absl::flat_hash_map<uint64_t, uint32_t> bay_numbers_;  // By family and host.
};

}  // namespace switchyard::scheduler
