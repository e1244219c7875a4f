// The events of one attempt: numbers them, keeps them, and says what of them is to be stored next,
// so that a worker that dies takes at most the last seconds with it.
//
// A segment is a sequence of serialized JobEvents, each with its size as a varint before it; ids
// are `0.<attempt>.<sequence>`. A new segment takes up earlier ones that are not larger than what
// it has so far, up to kSegmentBytes: an event is written a few times at most (the logarithm of
// kSegmentBytes over what comes in an interval), and an attempt has few segments however long it
// runs. Over the limit of all of them the oldest go, and a segment with a gap event alone stands
// first. Progress is not kept: it says nothing once the attempt has ended.
//
// Not thread-safe: its owner locks.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "switchyard/v1/event.pb.h"
#include "switchyard/v1/job.pb.h"
#include "switchyard/worker/v1/worker_service.pb.h"

namespace switchyard::worker {

inline constexpr size_t kLogBytes = 16 << 20;
inline constexpr size_t kSegmentBytes = 1 << 20;

class EventLog {
 public:
  explicit EventLog(uint32_t attempt, size_t limit_bytes = kLogBytes,
                    size_t segment_bytes = kSegmentBytes)
      : attempt_(attempt), limit_bytes_(limit_bytes), segment_bytes_(segment_bytes) {}

  // Numbers the events (sets `first_sequence`) and keeps copies.
  void Append(::switchyard::worker::v1::AttemptEvents* events);

  // Bytes kept and in no segment yet.
  size_t unstored_bytes() const { return unstored_bytes_; }
  // True when everything kept is in `artifacts`.
  bool stored() const { return unstored_bytes_ == 0 && !gap_changed_; }

  // What to store now, in one artifact each. REQUIRES: !stored(), and that the one before was
  // answered by Stored or NotStored.
  std::vector<std::string> TakeSegments();
  // The answer, in the same order.
  void Stored(std::vector<::switchyard::v1::OutputArtifact> artifacts);
  void NotStored();

  // The segments as they are stored, in order.
  std::vector<::switchyard::v1::OutputArtifact> Artifacts() const;

  // The last events kept, as they were sent, at most 256: for a scheduler that may have missed
  // them.
  ::switchyard::worker::v1::AttemptEvents Tail() const;

 private:
  struct Record {
    uint64_t sequence;
    std::string bytes;  // Serialized, with id.
  };
  // The next records_ in order, from the first.
  struct Segment {
    ::switchyard::v1::OutputArtifact artifact;
    size_t records = 0;
    size_t bytes = 0;
  };

  void DropOldest();
  std::string GapSegment() const;

  const uint32_t attempt_;
  const size_t limit_bytes_;
  const size_t segment_bytes_;
  uint64_t last_sequence_ = 0;
  uint64_t dropped_ = 0;
  size_t bytes_ = 0;
  size_t unstored_bytes_ = 0;
  std::deque<Record> records_;
  std::deque<Segment> segments_;
  std::optional<::switchyard::v1::OutputArtifact> gap_;  // The segment that stands first.
  bool gap_changed_ = false;
  // Of what is being stored: how many segments the new one replaces, and what it holds.
  size_t replaces_ = 0;
  Segment taken_;
  bool gap_taken_ = false;
};

}  // namespace switchyard::worker
