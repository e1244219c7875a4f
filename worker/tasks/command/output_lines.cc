#include "worker/tasks/command/output_lines.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace switchyard::worker {
namespace {

constexpr char kReplacement[] = "\xEF\xBF\xBD";  // U+FFFD.

unsigned char At(absl::string_view bytes, size_t i) { return static_cast<unsigned char>(bytes[i]); }

// Bytes of the well-formed character at the front (Unicode 15, table 3-7); 0: there is none.
size_t CharacterLength(absl::string_view bytes) {
  const unsigned char first = At(bytes, 0);
  if (first < 0x80) return 1;
  const size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || bytes.size() < length) return 0;
  const unsigned char second = At(bytes, 1);
  const unsigned char least = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
  const unsigned char most = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
  if (second < least || second > most) return 0;
  for (size_t i = 2; i < length; ++i) {
    if ((At(bytes, i) & 0xC0) != 0x80) return 0;
  }
  return length;
}

}  // namespace

std::string ReplaceInvalidUtf8(absl::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  while (!bytes.empty()) {
    const size_t length = CharacterLength(bytes);
    if (length == 0) {
      text += kReplacement;
    } else {
      absl::StrAppend(&text, bytes.substr(0, length));
    }
    bytes.remove_prefix(std::max<size_t>(length, 1));
  }
  return text;
}

void LineSplitter::Add(absl::string_view bytes) {
  for (const char c : bytes) {
    if (return_seen_ && c != '\n') Emit(/*redrawn=*/true);
    return_seen_ = false;
    if (c == '\n') {
      Emit(/*redrawn=*/false);
    } else if (c == '\r') {
      return_seen_ = true;
    } else {
      line_.push_back(c);
      // Not inside a character, unless it is none.
      const bool whole = (static_cast<unsigned char>(c) & 0x80) == 0;
      if (line_.size() >= kMostLineBytes && (whole || line_.size() >= kMostLineBytes + 4))
        Emit(/*redrawn=*/false);
    }
  }
}

void LineSplitter::Finish() {
  return_seen_ = false;
  if (!line_.empty()) Emit(/*redrawn=*/false);
}

void LineSplitter::Emit(bool redrawn) {
  const std::string line = ReplaceInvalidUtf8(line_);
  line_.clear();
  taker_(line, redrawn);
}

bool RateLimit::Allow(absl::Duration now) {
  left_ = std::min(burst_, left_ + rate_ * absl::ToDoubleSeconds(now - last_));
  last_ = now;
  if (left_ < 1) return false;
  left_ -= 1;
  return true;
}

}  // namespace switchyard::worker
