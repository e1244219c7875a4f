// What the core must be told of jobs that have ended when commands concern those that depend on
// them: states of jobs depended on, and whom a retry concerns.
//
// Not thread-safe; blocks on reads of the store.
#pragma once

#include <map>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "scheduler/core/core.h"
#include "scheduler/store/job_store.h"

namespace switchyard::scheduler {

class UpstreamReader {
 public:
  // Both are borrowed.
  UpstreamReader(const Core& core, JobStore& store) : core_(core), store_(store) {}

  // Adds the stored states of the jobs of `ranges` that do not live and are `tenant`'s.
  absl::Status AddStates(absl::string_view tenant, const std::vector<JobRange>& ranges,
                         std::map<JobId, JobState>& states);
  // The same for what a submit depends on beside itself.
  absl::Status AddStates(absl::string_view tenant, SubmitJobs& submit);

  // Whom a retry of these jobs concerns: all that were cancelled because one of them failed, and
  // those cancelled because of these.
  absl::StatusOr<ReviveDependents> Dependents(absl::string_view tenant,
                                              const std::vector<JobId>& retried);

 private:
  absl::StatusOr<std::vector<JobImage>> Images(const std::vector<JobRange>& ranges);

  const Core& core_;
  JobStore& store_;
};

}  // namespace switchyard::scheduler
