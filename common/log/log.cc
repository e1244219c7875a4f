#include "common/log/log.h"

#include <unistd.h>

#include <atomic>
#include <cmath>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace switchyard {
namespace {

std::atomic<LogLevel> least_level{LogLevel::kInfo};

std::string& ProcessName() {
  static std::string* name = new std::string("switchyard");
  return *name;
}

absl::string_view Name(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      return "error";
    case LogLevel::kOff:
      return "off";
  }
  return "error";
}

// Length of the valid UTF-8 sequence at the front of `text`; 0 when there is none.
size_t Utf8Length(absl::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t first = byte(0);
  const size_t length = first < 0x80                    ? 1
                        : first >= 0xC2 && first < 0xE0 ? 2
                        : (first & 0xF0) == 0xE0        ? 3
                        : first >= 0xF0 && first < 0xF5 ? 4
                                                        : 0;
  if (length == 0 || text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  if (first == 0xE0 && byte(1) < 0xA0) return 0;   // Over-long.
  if (first == 0xED && byte(1) >= 0xA0) return 0;  // Surrogates.
  if (first == 0xF0 && byte(1) < 0x90) return 0;
  if (first == 0xF4 && byte(1) >= 0x90) return 0;
  return length;
}

}  // namespace

std::string JsonQuote(absl::string_view text) {
  std::string out = "\"";
  while (!text.empty()) {
    const char c = text[0];
    const size_t length = Utf8Length(text);
    if (length == 0) {
      out += "\\ufffd";
      text.remove_prefix(1);
      continue;
    }
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<uint8_t>(c) < 0x20) {
      absl::StrAppendFormat(&out, "\\u%04x", c);
    } else {
      out.append(text.data(), length);
    }
    text.remove_prefix(length);
  }
  out += '"';
  return out;
}

LogValue::LogValue(absl::string_view text) : json_(JsonQuote(text)) {}

LogValue::LogValue(double value)
    : json_(std::isfinite(value) ? absl::StrCat(value) : JsonQuote(absl::StrCat(value))) {}

void SetupLog(absl::string_view process, LogLevel least) {
  ProcessName() = std::string(process);
  if (const char* level = std::getenv("SWITCHYARD_LOG_LEVEL")) {
    for (const LogLevel known : {LogLevel::kDebug, LogLevel::kInfo, LogLevel::kWarning,
                                 LogLevel::kError, LogLevel::kOff}) {
      if (Name(known) == level) least = known;
    }
  }
  least_level = least;
}

bool LogEnabled(LogLevel level) { return level >= least_level.load(std::memory_order_relaxed); }

void Log(LogLevel level, absl::string_view message, LogFields fields) {
  if (!LogEnabled(level)) return;
  std::string line = absl::StrCat(
      "{\"time\":\"", absl::FormatTime("%Y-%m-%dT%H:%M:%E6SZ", absl::Now(), absl::UTCTimeZone()),
      "\",\"level\":\"", Name(level), "\",\"process\":", JsonQuote(ProcessName()),
      ",\"message\":", JsonQuote(message));
  for (const LogField& field : fields) {
    absl::StrAppend(&line, ",", JsonQuote(field.name), ":", field.value.json());
  }
  line += "}\n";
  // A failed write to standard error has nowhere to be reported.
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace switchyard
