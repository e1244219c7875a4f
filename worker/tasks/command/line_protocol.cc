#include "worker/tasks/command/line_protocol.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace switchyard::worker {
namespace {

constexpr size_t kMostNameBytes = 128;
constexpr size_t kMostMessageBytes = 512;
constexpr size_t kMostPathBytes = 1024;

// The first word of `text`, which loses it.
absl::string_view TakeWord(absl::string_view* text) {
  *text = absl::StripLeadingAsciiWhitespace(*text);
  const size_t end = std::min(text->find(' '), text->size());
  const absl::string_view word = text->substr(0, end);
  text->remove_prefix(end);
  return word;
}

std::optional<ProtocolLine> ParseProgress(absl::string_view rest) {
  ProgressLine line;
  if (!absl::SimpleAtod(TakeWord(&rest), &line.fraction)) return std::nullopt;
  if (!(line.fraction >= 0 && line.fraction <= 1)) return std::nullopt;
  line.message = std::string(absl::StripAsciiWhitespace(rest).substr(0, kMostMessageBytes));
  return line;
}

bool IsMetricName(absl::string_view name) {
  return !name.empty() && name.size() <= kMostNameBytes &&
         std::all_of(name.begin(), name.end(), [](char c) { return absl::ascii_isgraph(c); });
}

std::optional<ProtocolLine> ParseMetric(absl::string_view rest) {
  MetricLine line;
  const absl::string_view name = TakeWord(&rest);
  const absl::string_view step = TakeWord(&rest);
  const absl::string_view value = TakeWord(&rest);
  if (!IsMetricName(name) || !absl::SimpleAtoi(step, &line.step) ||
      !absl::SimpleAtod(value, &line.value) || !std::isfinite(line.value) ||
      !absl::StripAsciiWhitespace(rest).empty()) {
    return std::nullopt;
  }
  line.name = std::string(name);
  return line;
}

std::optional<ProtocolLine> ParseOutput(absl::string_view rest) {
  const absl::string_view name = TakeWord(&rest);
  const absl::string_view path = absl::StripAsciiWhitespace(rest);  // May hold spaces.
  if (!IsArtifactName(name) || !IsPathInside(path)) return std::nullopt;
  return OutputLine{std::string(name), std::string(path)};
}

}  // namespace

bool IsArtifactName(absl::string_view name) {
  if (name.empty() || name.size() > kMostNameBytes) return false;
  if (name == "checkpoint" || name == "events") return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return absl::ascii_isalnum(c) || c == '.' || c == '_' || c == '-';
  });
}

bool IsPathInside(absl::string_view path) {
  if (path.empty() || path.size() > kMostPathBytes || path[0] == '/') return false;
  for (const absl::string_view part : absl::StrSplit(path, '/')) {
    if (part == "..") return false;
  }
  return true;
}

std::optional<ProtocolLine> ParseProtocolLine(absl::string_view line) {
  if (!absl::ConsumePrefix(&line, "::")) return std::nullopt;
  const absl::string_view word = TakeWord(&line);
  if (word == "progress") return ParseProgress(line);
  if (word == "metric") return ParseMetric(line);
  if (word == "output") return ParseOutput(line);
  if (word == "checkpoint" && absl::StripAsciiWhitespace(line).empty()) return CheckpointLine{};
  return std::nullopt;
}

}  // namespace switchyard::worker
