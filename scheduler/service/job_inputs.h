// What jobs run with once all they depend on has succeeded: wired fields are filled in from results
// and artifacts, what the job then refers to is looked up, and where the job allows it an equal one
// that has succeeded is found, whose result it takes.
//
// Thread-safe; blocks on reads of the store.
#pragma once

#include "absl/status/statusor.h"
#include "scheduler/engine/engine.h"
#include "scheduler/store/job_store.h"
#include "scheduler/validation/references.h"

namespace switchyard::scheduler {

class StoredInputs final : public InputResolver {
 public:
  // Both are borrowed.
  StoredInputs(JobStore& store, ReferenceSource& references)
      : store_(store), references_(references) {}

  absl::StatusOr<InputsResolved> Resolve(JobId job) override;

 private:
  struct Work;
  absl::Status Wire(const Work& work, v1::Job& job);
  absl::StatusOr<std::vector<v1::Job>> Upstream(const JobRange& range);
  absl::Status FindEqual(const Work& work, InputsResolved& resolved);

  JobStore& store_;
  ReferenceSource& references_;
};

}  // namespace switchyard::scheduler
