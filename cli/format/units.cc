#include "cli/format/units.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace switchyard::cli {

std::string BytesText(int64_t bytes) {
  constexpr const char* kUnits[] = {"KiB", "MiB", "GiB", "TiB", "PiB"};
  if (bytes < 1024) return absl::StrCat(bytes, " B");
  double value = static_cast<double>(bytes) / 1024;
  size_t unit = 0;
  for (; value >= 1023.95 && unit + 1 < std::size(kUnits); ++unit) value /= 1024;
  return absl::StrFormat("%.1f %s", value, kUnits[unit]);
}

std::string DurationText(absl::Duration duration) {
  if (duration < absl::ZeroDuration()) return absl::StrCat("-", DurationText(-duration));
  if (duration < absl::Milliseconds(1)) {
    return absl::StrFormat("%.0f us", absl::ToDoubleMicroseconds(duration));
  }
  if (duration < absl::Milliseconds(999.5)) {
    return absl::StrFormat("%.3g ms", absl::ToDoubleMilliseconds(duration));
  }
  if (duration < absl::Seconds(59.5))
    return absl::StrFormat("%.3g s", absl::ToDoubleSeconds(duration));
  const int64_t seconds = absl::ToInt64Seconds(duration + absl::Milliseconds(500));
  if (seconds < 3600) return absl::StrFormat("%d m %02d s", seconds / 60, seconds % 60);
  if (seconds < 86400) return absl::StrFormat("%d h %02d m", seconds / 3600, seconds / 60 % 60);
  return absl::StrFormat("%d d %02d h", seconds / 86400, seconds / 3600 % 24);
}

std::string PercentText(double fraction) { return absl::StrFormat("%.1f %%", fraction * 100); }

std::string ProgressBar(double fraction, int width) {
  const double share = std::isfinite(fraction) ? std::clamp(fraction, 0.0, 1.0) : 0;
  const int done = static_cast<int>(share * width);
  return absl::StrFormat("[%s%s] %3d %%", std::string(static_cast<size_t>(done), '#'),
                         std::string(static_cast<size_t>(width - done), '.'),
                         static_cast<int>(share * 100));
}

absl::Duration FromProto(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

absl::Time FromProto(const google::protobuf::Timestamp& time) {
  return absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
}

google::protobuf::Duration ToProto(absl::Duration duration) {
  google::protobuf::Duration proto;
  proto.set_seconds(absl::ToInt64Seconds(duration));
  proto.set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(duration % absl::Seconds(1))));
  return proto;
}

absl::StatusOr<absl::Duration> ParseDurationText(absl::string_view flag, absl::string_view text) {
  absl::Duration duration;
  double seconds;
  const bool ok = absl::SimpleAtod(text, &seconds) ? (duration = absl::Seconds(seconds), true)
                                                   : absl::ParseDuration(text, &duration);
  if (ok && duration >= absl::ZeroDuration() && duration < absl::InfiniteDuration())
    return duration;
  return absl::InvalidArgumentError(
      absl::StrCat(flag, ": \"", text, "\" is not a length of time; 90s, 5m or 1h30m is expected"));
}

absl::StatusOr<uint64_t> ParseBytesText(absl::string_view flag, absl::string_view text) {
  static constexpr struct {
    absl::string_view unit;
    double bytes;
  } kUnits[] = {{"", 1},
                {"B", 1},
                {"KB", 1e3},
                {"MB", 1e6},
                {"GB", 1e9},
                {"TB", 1e12},
                {"KiB", 1024.0},
                {"MiB", 1048576.0},
                {"GiB", 1073741824.0},
                {"TiB", 1099511627776.0}};
  const size_t end = std::min(text.find_first_not_of("0123456789."), text.size());
  double figure = 0;
  if (absl::SimpleAtod(text.substr(0, end), &figure)) {
    for (const auto& unit : kUnits) {
      if (unit.unit == text.substr(end) && figure * unit.bytes < 1e18)
        return static_cast<uint64_t>(figure * unit.bytes);
    }
  }
  return absl::InvalidArgumentError(
      absl::StrCat(flag, ": \"", text, "\" is not a size such as 512MB or 8GiB"));
}

}  // namespace switchyard::cli
