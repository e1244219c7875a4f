// How a job looks from outside: the wire form of what the core knows of it (JobImage) and of what
// the caller gave (its spec). Thread-safe: pure functions.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "scheduler/core/image.h"
#include "scheduler/store/job_store.h"
#include "switchyard/v1/event.pb.h"
#include "switchyard/v1/job.pb.h"

namespace switchyard::scheduler {

// The whole job. `spec` is JobRow::spec; empty: only what is not in the spec. DATA_LOSS naming the
// job when `spec` cannot be parsed.
absl::StatusOr<v1::Job> MakeJob(const JobImage& image, absl::string_view spec);
absl::StatusOr<v1::Job> MakeJob(const JobRow& row);

// What WatchResults tells of an ended job: id, state, reason, message, error and result.
void WriteResult(const JobImage& image, v1::Job* job);

// The event of `image`'s state change `change`, without id. The job in it has no spec; attempts,
// result, error and outputs are there for the newest change only: of an older one the history keeps
// no more than state, reason and time.
v1::JobEvent StateEvent(const JobImage& image, const StateChange& change);

// Drops what a list leaves out: the bytes fields of specs and results.
void DropBytes(v1::Job& job);

// Labels as JobImage::labels holds them: a serialized v1.Job with only `labels` set.
std::string EncodeLabels(const v1::Job& job);

}  // namespace switchyard::scheduler
