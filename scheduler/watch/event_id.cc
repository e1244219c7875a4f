#include "scheduler/watch/event_id.h"

#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace switchyard::scheduler {

std::string FormatEventId(const EventPosition& position) {
  return absl::StrCat(position.changes, ".", position.attempt, ".", position.sequence);
}

std::optional<EventPosition> ParseEventId(absl::string_view text) {
  EventPosition position;
  if (text.empty()) return position;
  const std::vector<absl::string_view> parts = absl::StrSplit(text, '.');
  if (parts.size() != 3 || !absl::SimpleAtoi(parts[0], &position.changes) ||
      !absl::SimpleAtoi(parts[1], &position.attempt) ||
      !absl::SimpleAtoi(parts[2], &position.sequence)) {
    return std::nullopt;
  }
  // Signs, spaces and leading zeros parse too; they were never given out.
  if (FormatEventId(position) != text) return std::nullopt;
  return position;
}

}  // namespace switchyard::scheduler
