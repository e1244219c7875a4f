// The one table of job kinds: what the scheduler needs to know of a kind and what a worker
// registers an executor under. A kind is the name of a member of Job's oneof `kind`.
#pragma once

#include <cstdint>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "switchyard/v1/fleet_service.pb.h"
#include "switchyard/v1/job.pb.h"

namespace switchyard {

struct KindTraits {
  absl::string_view name;          // Name of the oneof member.
  v1::Job::KindCase field;         // Its field number; also the number stored in rows.
  v1::JobClass job_class;          // Limit its attempts count against.
  uint32_t default_priority;       // 1 to 9.
  absl::Duration default_timeout;  // InfiniteDuration: none.
  absl::Duration
      assumed_run_time;  // Before run times are learned; 0: unknown, so never assigned ahead.
  bool checkpoints;      // `:stop` keeps a checkpoint, and a next attempt resumes from it.
  bool own_runner;  // Each attempt has a runner process of its own; else it runs in the serving
                    // runner.
  int64_t default_memory_bytes;  // Need on a device before it is learned; 0: unknown, nothing is
                                 // set apart.
  bool shrinks_batch;            // Out of memory, it may be tried again with half the batch.
  bool reports_progress;         // While it runs; without, it may be found STUCK.
};

absl::Span<const KindTraits> AllKinds();

// Null for KIND_NOT_SET and unknown numbers.
const KindTraits* FindKind(v1::Job::KindCase field);
const KindTraits* FindKind(absl::string_view name);

}  // namespace switchyard
