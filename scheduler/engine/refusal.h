// The core's refusals as errors with details. Thread-safe: pure functions.
#pragma once

#include "absl/status/status.h"
#include "common/id/job_id.h"
#include "scheduler/core/effects.h"

namespace switchyard::scheduler {

// `job` names the job of the command, 0: none.
absl::Status ToStatus(const Refusal& refusal, JobId job);

// UNAVAILABLE, reason COMMIT_UNKNOWN: what callers get when their drain was not, or perhaps,
// committed.
absl::Status CommitUnknown(const absl::Status& cause);

// ALREADY_EXISTS, reason REQUEST_ID_REUSED.
absl::Status RequestIdReused(absl::string_view request_id);

}  // namespace switchyard::scheduler
