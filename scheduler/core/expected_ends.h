// When busy places are expected to become free, for the reservation of a gang. Internal to the
// core.
//
// Only attempts that take long are kept one by one, in order of their expected end; places that are
// busy with short ones alone are counted (PoolIndex). So short jobs cost nothing here.
#pragma once

#include <cstdint>
#include <utility>

#include "absl/container/btree_set.h"
#include "scheduler/core/types.h"

namespace switchyard::scheduler {

// Not thread-safe. One for each class and sort of device.
class ExpectedEnds {
 public:
  using Ends = absl::btree_set<std::pair<int64_t, uint32_t>>;

  void Add(JobClass job_class, bool gpu, int64_t end_us, uint32_t attempt) {
    Of(job_class, gpu).emplace(end_us, attempt);
  }
  void Remove(JobClass job_class, bool gpu, int64_t end_us, uint32_t attempt) {
    Of(job_class, gpu).erase({end_us, attempt});
  }
  Ends& Of(JobClass job_class, bool gpu) { return ends_[static_cast<int>(job_class)][gpu ? 1 : 0]; }

 private:
  Ends ends_[kJobClasses][2];
};

}  // namespace switchyard::scheduler
