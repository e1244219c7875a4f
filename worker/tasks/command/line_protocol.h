// The one-line protocol by which a program tells the service about itself: lines on its standard
// output that begin with `::`. docs/commands.md is its reference. Thread-safe: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "absl/strings/string_view.h"

namespace switchyard::worker {

// ::progress FRACTION [MESSAGE]
struct ProgressLine {
  double fraction = 0;  // 0 to 1.
  std::string message;
};
// ::metric NAME STEP VALUE
struct MetricLine {
  std::string name;
  uint64_t step = 0;
  double value = 0;
};
// ::output NAME PATH
struct OutputLine {
  std::string name;
  std::string path;
};
// ::checkpoint
struct CheckpointLine {};

using ProtocolLine = std::variant<ProgressLine, MetricLine, OutputLine, CheckpointLine>;

// Nothing for every other line, malformed ones included: they are output like any other.
std::optional<ProtocolLine> ParseProtocolLine(absl::string_view line);

// Forms shared with the checks of a job's spec: [A-Za-z0-9._-], 1 to 128, and no name of the
// worker's own; a relative path without `..`.
bool IsArtifactName(absl::string_view name);
bool IsPathInside(absl::string_view path);

}  // namespace switchyard::worker
