// Removes bytes of artifacts nobody has a use for.
//
// The rule. Bytes go when all of this holds, looked at in this order:
//   1. they were stored, and touched, before now - keep;
//   2. and before the oldest attempt that is out was dispatched: what it has stored may not be
//      reported yet;
//   3. no job that lives has them as inputs, in its spec or resolved, as output or checkpoint;
//   4. no tenant has a reference.
// The store removes them only if 1 still holds then, and storing the same bytes makes them young
// (ArtifactStore::Remove). Who gives up a reference touches the bytes first.
//
// Why nothing is taken that somebody is about to refer to: a reference is recorded within minutes
// of storing the bytes, which 1 protects for `keep`. A submit that names an artifact was checked
// against a reference; when that is given up afterwards, the bytes are young for another `keep`,
// and by its end the job has long been committed, so 3 sees it. What an attempt stored and has not
// reported is protected by 2.
#pragma once

#include <functional>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/artifacts/artifact_store.h"
#include "scheduler/store/job_store.h"

namespace switchyard::scheduler {

struct ArtifactSweep {
  int removed = 0;
  int64_t removed_bytes = 0;
  int abandoned = 0;  // Uploads in parts that nobody went on with for `keep`.
};

// Blocks, for minutes where there is much: it reads what live jobs need when anything may have to
// go. Removes at most 100,000 at once. An error, and `stopped`, end it; what it had removed by then
// stays removed.
absl::StatusOr<ArtifactSweep> SweepArtifacts(JobStore& store, ArtifactStore& artifacts,
                                             absl::Time now, absl::Duration keep,
                                             const std::function<bool()>& stopped);

}  // namespace switchyard::scheduler
