// Which BLOCKED jobs wait for which others. Internal to the core.
//
// What is waited for is a range of jobs (ids that follow each other: one job, or all jobs of a
// step). All who wait for the same range share one group, so that ten thousand jobs that each wait
// for ten thousand others are twenty thousand entries and not a hundred million.
//
// A group is over when all its jobs have succeeded, or when one has ended otherwise. A waiter is
// named by (job, generation): one that ended meanwhile, or waits anew, is told by its generation
// and skipped by the caller, so that a waiter need not be searched for when it ends.
//
// Deterministic; not thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "scheduler/core/image.h"
#include "scheduler/core/slab.h"
#include "scheduler/core/types.h"

namespace switchyard::scheduler {

class Dependencies {
 public:
  struct Waiter {
    JobId job = 0;
    uint64_t generation = 0;
  };

  // Makes `waiter` wait for those of `range` that `is_live` (have not ended; asked once for each
  // job of a range nobody waits for yet). False: none is live, there is nothing to wait for.
  // REQUIRES: none of the range has ended otherwise than SUCCEEDED.
  bool Wait(Waiter waiter, const JobRange& range, absl::FunctionRef<bool(JobId)> is_live);

  // A job has ended. SUCCEEDED: gives the waiters of each group that is over by it, once for each
  // group; otherwise: of every group it was in. In the order in which they began to wait.
  std::vector<Waiter> Ended(JobId job, bool succeeded);

  // Whether somebody waits for this job.
  bool IsAwaited(JobId job) const { return groups_of_.contains(job); }
  size_t groups() const { return by_range_.size(); }

 private:
  struct Group {
    JobRange range;
    uint32_t open = 0;  // Jobs of it that have not succeeded.
    std::vector<Waiter> waiters;
  };
  void Leave(JobId job, uint32_t group);
  std::vector<Waiter> Remove(uint32_t group);

  Slab<Group> groups_;
  std::map<JobRange, uint32_t> by_range_;
  // Looked up only, never iterated: its order is random.
  absl::flat_hash_map<JobId, std::vector<uint32_t>> groups_of_;
};

// Adds `job` to ranges that are in order, extending the last one where it follows it.
void AppendTo(std::vector<JobRange>& ranges, JobId job);

}  // namespace switchyard::scheduler
