// `Range`, `If-Range` and `If-None-Match` of downloads (RFC 9110), for answers whose ETag is known
// before they are asked for. Thread-safe: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "gateway/http/message.h"

namespace switchyard::gateway {

struct WantedRange {
  int64_t offset = 0;  // Negative: so many bytes before the end.
  int64_t length = 0;  // 0: to the end.
};

// What the request wants of something whose strong ETag is `etag`, with its quotes. Nothing when it
// wants all: no `Range`, one of another unit, one that does not parse, several ranges at once
// (allowed to be answered whole), or one for another `If-Range`.
std::optional<WantedRange> RangeOf(const http::RequestHead& head, absl::string_view etag);

// True when `If-None-Match` says that the client has it: `*`, or a list that holds `etag`, weak or
// not.
bool HasAlready(const http::RequestHead& head, absl::string_view etag);

}  // namespace switchyard::gateway
