// From the bytes a program writes to lines that may go into a log: bounded in length, valid UTF-8,
// and not more than the log takes.
#pragma once

#include <functional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace switchyard::worker {

// Longest line; a longer one becomes several.
inline constexpr size_t kMostLineBytes = 4096;

// `bytes` with every byte that is not part of a well-formed UTF-8 character replaced by U+FFFD.
std::string ReplaceInvalidUtf8(absl::string_view bytes);

// Cuts a stream into lines, at `\n`, `\r\n` and `\r` (progress bars redraw with it). Not
// thread-safe.
class LineSplitter {
 public:
  // `redrawn`: the line ended with a lone `\r`, so the next one replaces it on a terminal.
  using Taker = std::function<void(absl::string_view line, bool redrawn)>;
  explicit LineSplitter(Taker taker) : taker_(std::move(taker)) {}

  void Add(absl::string_view bytes);
  // The end of the stream: what is left is a line.
  void Finish();

 private:
  void Emit(bool redrawn);

  const Taker taker_;
  std::string line_;
  bool return_seen_ = false;
};

// Lets `rate` things through a second, and `burst` at once. Not thread-safe.
class RateLimit {
 public:
  RateLimit(double rate, double burst) : rate_(rate), burst_(burst), left_(burst) {}
  // `now` never goes back.
  bool Allow(absl::Duration now);

 private:
  const double rate_;
  const double burst_;
  double left_;
  absl::Duration last_ = absl::ZeroDuration();
};

}  // namespace switchyard::worker
