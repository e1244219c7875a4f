#include "gateway/doors/caller.h"

#include <algorithm>
#include <random>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace switchyard::gateway {
namespace {

class SystemIds final : public RandomIds {
 public:
  std::string Hex(int bytes) override {
    thread_local std::mt19937_64 engine = Seeded();
    std::string raw;
    while (raw.size() < static_cast<size_t>(bytes)) {
      const uint64_t word = engine();
      raw.append(reinterpret_cast<const char*>(&word), sizeof(word));
    }
    raw.resize(bytes);
    return absl::BytesToHexString(raw);
  }

 private:
  static std::mt19937_64 Seeded() {
    std::random_device device;
    std::seed_seq seed{device(), device(), device(), device()};
    return std::mt19937_64(seed);
  }
};

bool IsLowerHex(absl::string_view text, size_t size) {
  return text.size() == size && std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_isdigit(c) || (c >= 'a' && c <= 'f');
         });
}

bool AllZero(absl::string_view text) {
  return text.find_first_not_of('0') == absl::string_view::npos;
}

}  // namespace

RandomIds& SystemRandomIds() {
  static SystemIds* const ids = new SystemIds;
  return *ids;
}

std::string RandomIds::Uuid() {
  std::string hex = Hex(16);
  hex[12] = '4';
  static constexpr char kVariant[] = "89ab";
  hex[16] = kVariant[hex[16] % 4];
  const absl::string_view view = hex;
  return absl::StrCat(view.substr(0, 8), "-", view.substr(8, 4), "-", view.substr(12, 4), "-",
                      view.substr(16, 4), "-", view.substr(20));
}

std::string Trace::traceparent() const {
  return absl::StrCat("00-", trace_id, "-", span_id, sampled ? "-01" : "-00");
}

Trace ContinueTrace(absl::string_view traceparent, RandomIds& ids) {
  Trace trace;
  trace.span_id = ids.Hex(8);
  const std::vector<absl::string_view> parts = absl::StrSplit(traceparent, '-');
  const bool version_0 = absl::StartsWith(traceparent, "00-");
  if (parts.size() >= 4 && (!version_0 || parts.size() == 4) && IsLowerHex(parts[0], 2) &&
      parts[0] != "ff" && IsLowerHex(parts[1], 32) && !AllZero(parts[1]) &&
      IsLowerHex(parts[2], 16) && !AllZero(parts[2]) && IsLowerHex(parts[3], 2)) {
    trace.trace_id = std::string(parts[1]);
    // Bit 0 of the flags: the last digit is odd.
    const char last = parts[3][1];
    trace.sampled = (last <= '9' ? last - '0' : last - 'a' + 10) % 2 == 1;
    trace.continued = true;
  } else {
    trace.trace_id = ids.Hex(16);
  }
  return trace;
}

std::string AcceptRequestId(absl::string_view header, RandomIds& ids) {
  const bool good = !header.empty() && header.size() <= 128 &&
                    std::all_of(header.begin(), header.end(), [](char c) {
                      return absl::ascii_isalnum(c) || c == '.' || c == '_' || c == ':' || c == '-';
                    });
  return good ? std::string(header) : ids.Hex(8);
}

std::string AcceptAuthorization(absl::string_view header) {
  std::string text(header);
  std::replace_if(
      text.begin(), text.end(), [](char c) { return !absl::ascii_isprint(c); }, '?');
  return text;
}

std::optional<absl::Duration> ParseGrpcTimeout(absl::string_view header) {
  if (header.size() < 2 || header.size() > 9) return std::nullopt;
  uint32_t amount;
  const absl::string_view digits = header.substr(0, header.size() - 1);
  if (!std::all_of(digits.begin(), digits.end(), absl::ascii_isdigit) ||
      !absl::SimpleAtoi(digits, &amount)) {
    return std::nullopt;
  }
  switch (header.back()) {
    case 'H':
      return absl::Hours(amount);
    case 'M':
      return absl::Minutes(amount);
    case 'S':
      return absl::Seconds(amount);
    case 'm':
      return absl::Milliseconds(amount);
    case 'u':
      return absl::Microseconds(amount);
    case 'n':
      return absl::Nanoseconds(amount);
    default:
      return std::nullopt;
  }
}

}  // namespace switchyard::gateway
