// Job ids: 64-bit, ordered by time of submission; as text 13 characters of Crockford's base 32 in
// lower case (0-9a-z without i, l, o, u), so that text sorts like numbers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace switchyard {

using JobId = uint64_t;  // 43 bits of milliseconds since the Unix epoch, then 20 bits of counter. 0
                         // is no job.

// The id after `last`, at wall-clock `now_ms`: never smaller than the time says, always larger than
// `last`.
JobId NextJobId(JobId last, int64_t now_ms);

std::string FormatJobId(JobId id);

// Nothing when `text` is not exactly what FormatJobId gives for some id other than 0.
std::optional<JobId> ParseJobId(absl::string_view text);

}  // namespace switchyard
