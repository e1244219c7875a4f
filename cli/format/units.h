// Quantities as people read and write them. Pure functions.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"

namespace switchyard::cli {

// "512 B", "1.5 KiB", "23.4 GiB".
std::string BytesText(int64_t bytes);

// "850 us", "12.3 ms", "1.25 s", "2 m 03 s", "1 h 02 m", "3 d 04 h".
std::string DurationText(absl::Duration duration);

// "98.1 %".
std::string PercentText(double fraction);

// "[#####.....]  50 %", with `width` marks between the brackets. Fractions outside 0 to 1 are cut.
std::string ProgressBar(double fraction, int width);

absl::Duration FromProto(const google::protobuf::Duration& duration);
absl::Time FromProto(const google::protobuf::Timestamp& time);
google::protobuf::Duration ToProto(absl::Duration duration);

// "90s", "5m", "1h30m" (absl::ParseDuration); a bare number is seconds. INVALID_ARGUMENT says what
// is expected of `flag`.
absl::StatusOr<absl::Duration> ParseDurationText(absl::string_view flag, absl::string_view text);

// "1500", "512MB", "8GB", "1.5GiB": a figure and B, KB, MB, GB, TB (powers of 1000) or KiB ... TiB
// (of 1024). INVALID_ARGUMENT says what is expected of `flag`.
absl::StatusOr<uint64_t> ParseBytesText(absl::string_view flag, absl::string_view text);

}  // namespace switchyard::cli
