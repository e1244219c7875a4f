#include "scheduler/validation/names.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/strip.h"

namespace switchyard::scheduler {
namespace {

constexpr size_t kMostNameBytes = 63;
constexpr size_t kMostRequestIdBytes = 128;

bool IsLowerOrDigit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

bool IsDecimal(absl::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

bool IsModelName(absl::string_view text) {
  return !text.empty() && text.size() <= kMostNameBytes && IsLowerOrDigit(text[0]) &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return IsLowerOrDigit(c) || c == '.' || c == '_' || c == '-'; });
}

std::optional<ModelReference> ParseModelReference(absl::string_view text) {
  ModelReference reference;
  const size_t at = text.find('@');
  reference.name = text.substr(0, at);
  if (!IsModelName(reference.name)) return std::nullopt;
  if (at == absl::string_view::npos) return reference;
  const absl::string_view version = text.substr(at + 1);
  if (!IsDecimal(version) || !absl::SimpleAtoi(version, &reference.version) ||
      reference.version == 0) {
    return std::nullopt;
  }
  return reference;
}

bool IsDevice(absl::string_view text) {
  if (text == "auto" || text == "cpu" || text == "cuda") return true;
  return absl::ConsumePrefix(&text, "cuda:") && text.size() <= 3 && IsDecimal(text);
}

bool IsLabelKey(absl::string_view text) {
  return !text.empty() && text.size() <= kMostNameBytes &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return IsLowerOrDigit(c) || c == '.' || c == '_' || c == '/' || c == '-';
         });
}

bool IsRequestId(absl::string_view text) {
  return !text.empty() && text.size() <= kMostRequestIdBytes &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

}  // namespace switchyard::scheduler
