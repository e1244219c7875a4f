// Specs of jobs that were accepted lately and not dispatched: the usual job is dispatched soon
// after it came, and then costs no read. Bounded by bytes; the oldest go first. Not thread-safe.
#pragma once

#include <cstddef>
#include <deque>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "common/id/job_id.h"

namespace switchyard::scheduler {

class SpecCache {
 public:
  explicit SpecCache(size_t max_bytes) : max_bytes_(max_bytes) {}

  void Put(JobId job, std::string spec);
  // Moves the spec out; false when it is not here.
  bool Take(JobId job, std::string& spec);
  void Clear();

 private:
  // What an entry costs beside its bytes, about.
  static constexpr size_t kOverhead = 96;

  const size_t max_bytes_;
  size_t bytes_ = 0;
  absl::flat_hash_map<JobId, std::string> specs_;
  std::deque<JobId> order_;  // Of arrival; those taken meanwhile are skipped.
};

}  // namespace switchyard::scheduler
