// Reports about attempts as the worker protocol wants them, and the one place that says which
// errors are permanent. Pure functions, thread-safe.
#pragma once

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"
#include "switchyard/worker/v1/worker_service.pb.h"

namespace switchyard::worker {

google::protobuf::Timestamp TimestampOf(absl::Time time);
google::protobuf::Duration DurationOf(absl::Duration duration);
absl::Duration DurationFrom(const google::protobuf::Duration& duration);

// True for errors another attempt would meet again: INVALID_ARGUMENT, NOT_FOUND,
// FAILED_PRECONDITION, PERMISSION_DENIED, OUT_OF_RANGE, UNIMPLEMENTED.
bool IsPermanent(const absl::Status& error);

// RESOURCE_EXHAUSTED with reason OUT_OF_MEMORY.
bool IsOutOfMemory(const absl::Status& error);
absl::Status OutOfMemoryError(absl::string_view what);

// `finished` with outcome FAILED and what `error` says. REQUIRES: not OK.
void SetFailed(const absl::Status& error, ::switchyard::worker::v1::Finished* finished);

// `finished` with outcome CANCELLED.
void SetCancelled(::switchyard::worker::v1::Finished* finished);

}  // namespace switchyard::worker
