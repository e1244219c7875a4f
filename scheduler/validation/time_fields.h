// Ranges of protobuf's time types, which its parser does not check.
#pragma once

#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"

namespace switchyard::scheduler {

// 0001-01-01 to 9999-12-31, nanoseconds in [0, 1e9): as timestamp.proto says.
inline bool IsTimestamp(const google::protobuf::Timestamp& time) {
  return time.seconds() >= -62135596800 && time.seconds() <= 253402300799 && time.nanos() >= 0 &&
         time.nanos() < 1'000'000'000;
}

// Not negative, at most 10,000 years, seconds and nanoseconds of one sign: as duration.proto says.
inline bool IsLength(const google::protobuf::Duration& duration) {
  return duration.seconds() >= 0 && duration.seconds() <= 315'576'000'000 &&
         duration.nanos() >= 0 && duration.nanos() < 1'000'000'000;
}

inline bool IsZero(const google::protobuf::Duration& duration) {
  return duration.seconds() == 0 && duration.nanos() == 0;
}

}  // namespace switchyard::scheduler
