// Frames of server-sent events (WHATWG) and of newline-delimited JSON. Pure functions.
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace switchyard::gateway {

// `id:`, `event:` (left out when empty; an id with NUL or a line end is none) and one `data:` line
// per line of `data`.
std::string SseEvent(absl::string_view id, absl::string_view event, absl::string_view data);

// A line clients ignore, which keeps proxies and clients from giving the connection up.
std::string SseComment(absl::string_view text);

// How long a client waits before it comes back.
std::string SseRetry(int milliseconds);

// What a client that reads events by lines takes: one JSON text a line.
inline std::string NdjsonLine(absl::string_view json) { return std::string(json) + "\n"; }

}  // namespace switchyard::gateway
