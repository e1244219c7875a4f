#include "gateway/doors/json/sse.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace switchyard::gateway {
namespace {

bool FitsOneLine(absl::string_view text) {
  return !text.empty() &&
         text.find_first_of(absl::string_view("\0\r\n", 3)) == absl::string_view::npos;
}

}  // namespace

std::string SseEvent(absl::string_view id, absl::string_view event, absl::string_view data) {
  std::string frame;
  if (FitsOneLine(id)) absl::StrAppend(&frame, "id: ", id, "\n");
  if (FitsOneLine(event)) absl::StrAppend(&frame, "event: ", event, "\n");
  for (const absl::string_view line : absl::StrSplit(data, '\n')) {
    absl::StrAppend(&frame, "data: ", line, "\n");
  }
  frame += "\n";
  return frame;
}

std::string SseComment(absl::string_view text) { return absl::StrCat(": ", text, "\n\n"); }

std::string SseRetry(int milliseconds) { return absl::StrCat("retry: ", milliseconds, "\n\n"); }

}  // namespace switchyard::gateway
