#include "gateway/doors/json/byte_range.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace switchyard::gateway {
namespace {

std::optional<int64_t> ReadNumber(absl::string_view text) {
  int64_t number = 0;
  const bool digits = !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isdigit(static_cast<unsigned char>(c));
  });
  if (!digits || !absl::SimpleAtoi(text, &number)) return std::nullopt;
  return number;
}

}  // namespace

std::optional<WantedRange> RangeOf(const http::RequestHead& head, absl::string_view etag) {
  absl::string_view text = absl::StripAsciiWhitespace(head.headers.Find("Range"));
  if (head.headers.Count("Range") != 1 || head.verb != "GET") return std::nullopt;
  // A date, and a weak tag, never match.
  if (head.headers.Has("If-Range") &&
      absl::StripAsciiWhitespace(head.headers.Find("If-Range")) != etag) {
    return std::nullopt;
  }
  if (!absl::StartsWithIgnoreCase(text, "bytes=")) return std::nullopt;
  text.remove_prefix(sizeof("bytes=") - 1);
  const std::pair<absl::string_view, absl::string_view> ends =
      absl::StrSplit(text, absl::MaxSplits('-', 1));
  const std::optional<int64_t> first = ReadNumber(ends.first), last = ReadNumber(ends.second);
  if (ends.first.empty()) {
    if (!last.has_value() || *last == 0) return std::nullopt;
    return WantedRange{-*last, 0};
  }
  if (!first.has_value() || !absl::StrContains(text, '-')) return std::nullopt;
  if (ends.second.empty()) return WantedRange{*first, 0};
  if (!last.has_value() || *last < *first) return std::nullopt;
  const int64_t more = *last - *first;
  return WantedRange{*first, more == std::numeric_limits<int64_t>::max() ? 0 : more + 1};
}

bool HasAlready(const http::RequestHead& head, absl::string_view etag) {
  for (absl::string_view tag : absl::StrSplit(head.headers.Find("If-None-Match"), ',')) {
    tag = absl::StripAsciiWhitespace(tag);
    if (tag == "*") return true;
    absl::ConsumePrefix(&tag, "W/");
    if (!tag.empty() && tag == etag) return true;
  }
  return false;
}

}  // namespace switchyard::gateway
