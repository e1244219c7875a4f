// What a benchmark's noop job carries: its number, then bytes that follow from it, so that a result
// that is another's, or changed, is seen. Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace switchyard::bench {

inline constexpr size_t kPayloadBytes = 200;

std::string MakePayload(uint64_t number);

// The number; nothing when these bytes are no payload of ours.
std::optional<uint64_t> CheckPayload(absl::string_view payload);

}  // namespace switchyard::bench
