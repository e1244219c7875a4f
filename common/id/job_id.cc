#include "common/id/job_id.h"

#include <algorithm>

namespace switchyard {
namespace {

constexpr char kAlphabet[] = "0123456789abcdefghjkmnpqrstvwxyz";
constexpr int kLength = 13;
constexpr int kCounterBits = 20;

}  // namespace

JobId NextJobId(JobId last, int64_t now_ms) {
  const JobId earliest = static_cast<JobId>(std::max<int64_t>(now_ms, 1)) << kCounterBits;
  return std::max(last + 1, earliest);
}

std::string FormatJobId(JobId id) {
  std::string text(kLength, '0');
  for (int i = kLength - 1; i >= 0; --i, id >>= 5) text[i] = kAlphabet[id & 31];
  return text;
}

std::optional<JobId> ParseJobId(absl::string_view text) {
  if (text.size() != kLength) return std::nullopt;
  const absl::string_view alphabet(kAlphabet, 32);
  JobId id = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const size_t digit = alphabet.find(text[i]);
    // 13 digits hold 65 bits: the first may only be 0 to 15.
    if (digit == absl::string_view::npos || (i == 0 && digit > 15)) return std::nullopt;
    id = id << 5 | digit;
  }
  if (id == 0) return std::nullopt;
  return id;
}

}  // namespace switchyard
