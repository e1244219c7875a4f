// Structured logs: one JSON object a line on standard error, with `time`, `level`, `process`,
// `message` and the fields given, in order. Thread-safe; one write(2) a line.
//
//   LogInfo("worker attached", {{"worker", id}, {"attempts", count}});
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/strings/string_view.h"

namespace switchyard {

// kOff is a limit for SetupLog only: no line has it.
enum class LogLevel { kDebug, kInfo, kWarning, kError, kOff };

// A value of a field, already as JSON.
class LogValue {
 public:
  LogValue(absl::string_view text);  // NOLINT: conversions are the point.
  LogValue(const char* text) : LogValue(absl::string_view(text)) {}
  LogValue(const std::string& text) : LogValue(absl::string_view(text)) {}
  LogValue(bool value) : json_(value ? "true" : "false") {}
  LogValue(double value);
  template <typename Integer, typename = std::enable_if_t<std::is_integral_v<Integer>>>
  LogValue(Integer value) : json_(std::to_string(value)) {}
  const std::string& json() const { return json_; }

 private:
  std::string json_;
};

struct LogField {
  absl::string_view name;
  LogValue value;
};

using LogFields = std::initializer_list<LogField>;

// Called once by main, before threads. Lines below `least` are dropped. Also read from
// SWITCHYARD_LOG_LEVEL (debug, info, warning, error), which wins.
void SetupLog(absl::string_view process, LogLevel least = LogLevel::kInfo);

bool LogEnabled(LogLevel level);
void Log(LogLevel level, absl::string_view message, LogFields fields = {});

inline void LogDebug(absl::string_view message, LogFields fields = {}) {
  Log(LogLevel::kDebug, message, fields);
}
inline void LogInfo(absl::string_view message, LogFields fields = {}) {
  Log(LogLevel::kInfo, message, fields);
}
inline void LogWarning(absl::string_view message, LogFields fields = {}) {
  Log(LogLevel::kWarning, message, fields);
}
inline void LogError(absl::string_view message, LogFields fields = {}) {
  Log(LogLevel::kError, message, fields);
}

// `text` as a JSON string, quotes included. Bytes that are not UTF-8 become U+FFFD.
std::string JsonQuote(absl::string_view text);

}  // namespace switchyard
