// The events of one attempt: numbers them, and keeps them as the segment that is stored when the
// attempt ends.
//
// A segment is a sequence of serialized JobEvents, each with its size as a varint before it; ids
// are `0.<attempt>.<sequence>`. Over its limit the oldest go, and a gap event says so first.
// Progress is not kept in a segment: it says nothing once the attempt has ended.
//
// Not thread-safe: its owner locks.
#pragma once

#include <cstdint>
#include <deque>
#include <string>

#include "switchyard/v1/event.pb.h"
#include "switchyard/worker/v1/worker_service.pb.h"

namespace switchyard::worker {

inline constexpr size_t kSegmentLimitBytes = 16 << 20;

class EventLog {
 public:
  explicit EventLog(uint32_t attempt, size_t limit_bytes = kSegmentLimitBytes)
      : attempt_(attempt), limit_bytes_(limit_bytes) {}

  // Numbers the events (sets `first_sequence`) and keeps copies.
  void Append(::switchyard::worker::v1::AttemptEvents* events);

  // True when the segment would hold nothing.
  bool empty() const { return records_.empty(); }
  std::string Segment() const;
  // The last events kept, as they were sent, at most 256: for a scheduler that may have missed
  // them.
  ::switchyard::worker::v1::AttemptEvents Tail() const;

 private:
  struct Record {
    uint64_t sequence;
    std::string bytes;  // Serialized, with id.
  };

  const uint32_t attempt_;
  const size_t limit_bytes_;
  uint64_t last_sequence_ = 0;
  uint64_t dropped_ = 0;
  size_t bytes_ = 0;
  std::deque<Record> records_;
};

}  // namespace switchyard::worker
