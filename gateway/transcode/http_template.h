// Path templates of google.api.http: `/api/v1/jobs/{job}:cancel`, `/a/{name=shelves/*/books/*}`,
// `/files/{path=**}`.
//
// Parsed once at start, matched for every request. Thread-safe after Parse: matching changes
// nothing.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace switchyard::gateway {

// A request path cut at its slashes, still percent-encoded. Views into the path.
struct SplitPath {
  std::vector<absl::string_view> segments;
  // After the last unescaped colon of the last segment; empty when there is none.
  absl::string_view verb;
};

// INVALID_ARGUMENT when the path does not begin with a slash or holds a broken escape or an escaped
// NUL.
absl::StatusOr<SplitPath> SplitRequestPath(absl::string_view path);

// Every `%XX` decoded, except `%2F` when `keep_slashes`. REQUIRES: the escapes are whole.
std::string PercentDecode(absl::string_view text, bool keep_slashes);

// Field path of a variable and its decoded value.
using PathValues = std::vector<std::pair<std::string, std::string>>;

class HttpTemplate {
 public:
  // INVALID_ARGUMENT says what is wrong with the template and where.
  static absl::StatusOr<HttpTemplate> Parse(absl::string_view text);

  // Variables' values when the path fits, in the template's order. A segment variable decodes every
  // escape, one of several segments keeps %2F. Empty values do not match.
  std::optional<PathValues> Match(const SplitPath& path) const;

  const std::string& text() const { return text_; }
  // The template with variables' names taken away: two templates of one shape match the same paths.
  std::string Shape() const;
  // How OpenAPI writes it: `/api/v1/jobs/{job}:cancel`, inner patterns taken away.
  std::string OpenApiPath() const;
  std::vector<std::string> VariableNames() const;
  // True when this one is to be tried before `other`: literals win over variables, from the left.
  bool MoreSpecificThan(const HttpTemplate& other) const;

 private:
  enum class Kind { kLiteral, kOne, kRest };
  struct Segment {
    Kind kind = Kind::kLiteral;
    std::string literal;
  };
  struct Variable {
    std::string field_path;
    size_t first = 0;
    size_t count = 0;  // Of segments in the template.
    bool several = false;
  };
  class Parser;

  bool SegmentsMatch(const SplitPath& path) const;
  std::string ValueOf(const Variable& variable, const SplitPath& path) const;

  std::string text_;
  std::vector<Segment> segments_;
  std::vector<Variable> variables_;
  std::string verb_;
};

}  // namespace switchyard::gateway
