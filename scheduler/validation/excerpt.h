// What a caller wrote, as far as an error may repeat it: errors travel in HTTP/2 trailers, which
// peers bound at 8 KiB.
#pragma once

#include <cstddef>

#include "absl/strings/string_view.h"

namespace switchyard::scheduler {

inline constexpr size_t kMostExcerptBytes = 200;

// The front of `text`, cut between characters when `text` is UTF-8.
inline absl::string_view Excerpt(absl::string_view text, size_t most_bytes = kMostExcerptBytes) {
  if (text.size() <= most_bytes) return text;
  while (most_bytes > 0 && (static_cast<unsigned char>(text[most_bytes]) & 0xC0) == 0x80)
    --most_bytes;
  return text.substr(0, most_bytes);
}

}  // namespace switchyard::scheduler
