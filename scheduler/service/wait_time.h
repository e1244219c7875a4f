// How long a wait may take. Thread-safe: a pure function.
#pragma once

#include <algorithm>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/status/error.h"
#include "google/protobuf/duration.pb.h"
#include "scheduler/validation/time_fields.h"

namespace switchyard::scheduler {

// 30 s unless set, at most 10 min. INVALID_ARGUMENT (field timeout).
inline absl::StatusOr<absl::Duration> ReadWaitTime(bool set,
                                                   const google::protobuf::Duration& timeout) {
  if (!set) return absl::Seconds(30);
  if (!IsLength(timeout)) return InvalidField("timeout", "must be 0 to 10 min");
  return std::min(absl::Seconds(timeout.seconds()) + absl::Nanoseconds(timeout.nanos()),
                  absl::Minutes(10));
}

}  // namespace switchyard::scheduler
