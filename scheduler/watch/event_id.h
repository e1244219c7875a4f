// Ids of a job's events: `<changes>.<attempt>.<sequence>`. Each part only grows along a job's
// stream, so an id is a position in it: everything at or below it was seen. Thread-safe: pure
// functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"

namespace switchyard::scheduler {

struct EventPosition {
  uint32_t changes = 0;   // State changes seen.
  uint32_t attempt = 0;   // Attempt of the last worker event seen; 0: none.
  uint64_t sequence = 0;  // That event's number within the attempt.

  bool SeesChange(uint32_t number) const { return number <= changes; }
  bool SeesEvent(uint32_t of_attempt, uint64_t number) const {
    return std::pair(of_attempt, number) <= std::pair(attempt, sequence);
  }
};

std::string FormatEventId(const EventPosition& position);

// Nothing when `text` is not what FormatEventId gives. The empty text is the beginning.
std::optional<EventPosition> ParseEventId(absl::string_view text);

}  // namespace switchyard::scheduler
