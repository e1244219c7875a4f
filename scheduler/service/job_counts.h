// How many of many jobs stand where. Thread-safe; blocks on reads.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "scheduler/core/image.h"
#include "scheduler/service/backend.h"

namespace switchyard::scheduler {

struct JobCounts {
  uint32_t blocked = 0;
  uint32_t queued = 0;
  uint32_t running = 0;
  uint32_t succeeded = 0;
  uint32_t failed = 0;  // FAILED or EXPIRED.
  uint32_t cancelled = 0;
  JobId first_failed = 0;  // Else the first cancelled one; 0: none.
  uint32_t live() const { return blocked + queued + running; }
};

// Counts `tenant`'s jobs as they are now: what runs is known to memory, not to the store. One
// object for each look.
class JobCounter {
 public:
  JobCounter(const Backend& backend, const std::string& tenant);
  absl::StatusOr<JobCounts> Count(const JobRange& range) const;

 private:
  const Backend& backend_;
  const std::string tenant_;
  std::set<JobId> running_;
};

// The numbers, in the message's fields of these names.
template <typename Message>
void WriteCounts(const JobCounts& counts, Message* to) {
  to->set_blocked(counts.blocked);
  to->set_queued(counts.queued);
  to->set_running(counts.running);
  to->set_succeeded(counts.succeeded);
  to->set_failed(counts.failed);
  to->set_cancelled(counts.cancelled);
}

}  // namespace switchyard::scheduler
