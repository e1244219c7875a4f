#include "tests/bench/payload.h"

#include <cstring>

namespace switchyard::bench {
namespace {

// splitmix64 (Steele, Lea and Flood, 2014).
uint64_t Next(uint64_t* state) {
  uint64_t z = (*state += 0x9E3779B97F4A7C15);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  return z ^ (z >> 31);
}

}  // namespace

std::string MakePayload(uint64_t number) {
  static_assert(kPayloadBytes % sizeof(uint64_t) == 0);
  std::string payload(kPayloadBytes, '\0');
  std::memcpy(payload.data(), &number, sizeof number);
  uint64_t state = number;
  for (size_t i = sizeof number; i < kPayloadBytes; i += sizeof number) {
    const uint64_t word = Next(&state);
    std::memcpy(payload.data() + i, &word, sizeof word);
  }
  return payload;
}

std::optional<uint64_t> CheckPayload(absl::string_view payload) {
  uint64_t number;
  if (payload.size() != kPayloadBytes) return std::nullopt;
  std::memcpy(&number, payload.data(), sizeof number);
  if (payload != MakePayload(number)) return std::nullopt;
  return number;
}

}  // namespace switchyard::bench
