#include "gateway/transcode/http_template.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace switchyard::gateway {
namespace {

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

absl::Status CheckEscapes(absl::string_view path) {
  for (size_t i = 0; i < path.size(); ++i) {
    if (path[i] != '%') continue;
    if (i + 2 >= path.size() || HexValue(path[i + 1]) < 0 || HexValue(path[i + 2]) < 0) {
      return absl::InvalidArgumentError(
          "the path holds a % that two hexadecimal digits do not follow");
    }
    if (path[i + 1] == '0' && path[i + 2] == '0') {
      return absl::InvalidArgumentError("the path holds an escaped NUL");
    }
  }
  return absl::OkStatus();
}

}  // namespace

std::string PercentDecode(absl::string_view text, bool keep_slashes) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%' || i + 2 >= text.size()) {
      out += text[i];
      continue;
    }
    const char decoded = static_cast<char>(HexValue(text[i + 1]) * 16 + HexValue(text[i + 2]));
    if (decoded == '/' && keep_slashes) {
      out.append(text.data() + i, 3);
    } else {
      out += decoded;
    }
    i += 2;
  }
  return out;
}

absl::StatusOr<SplitPath> SplitRequestPath(absl::string_view path) {
  if (path.empty() || path[0] != '/') {
    return absl::InvalidArgumentError("the path does not begin with a slash");
  }
  if (const absl::Status escapes = CheckEscapes(path); !escapes.ok()) return escapes;
  SplitPath split;
  split.segments = absl::StrSplit(path.substr(1), '/');
  absl::string_view& last = split.segments.back();
  if (const size_t colon = last.rfind(':'); colon != absl::string_view::npos) {
    split.verb = last.substr(colon + 1);
    last = last.substr(0, colon);
  }
  return split;
}

// Recursive descent over: "/" segments [":" verb]; segment = "*" | "**" | LITERAL | "{" field ["="
// segments] "}".
class HttpTemplate::Parser {
 public:
  explicit Parser(absl::string_view text) : text_(text) {}

  absl::StatusOr<HttpTemplate> Run() {
    result_.text_ = std::string(text_);
    if (!Take('/')) return Fault("a template begins with a slash");
    if (absl::Status status = Segments(false); !status.ok()) return status;
    if (Take(':')) result_.verb_ = Word();
    if (at_ != text_.size()) return Fault("unexpected character");
    for (size_t i = 0; i + 1 < result_.segments_.size(); ++i) {
      if (result_.segments_[i].kind == Kind::kRest) return Fault("** may only stand last");
    }
    return std::move(result_);
  }

 private:
  absl::Status Fault(absl::string_view what) const {
    return absl::InvalidArgumentError(
        absl::StrCat("template \"", text_, "\" at character ", at_ + 1, ": ", what));
  }
  bool Take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  std::string Word() {
    const size_t begin = at_;
    while (at_ < text_.size() && !strchr("/{}=*:", text_[at_])) ++at_;
    return std::string(text_.substr(begin, at_ - begin));
  }
  absl::Status Segments(bool in_variable) {
    do {
      if (absl::Status status = OneSegment(in_variable); !status.ok()) return status;
    } while (Take('/'));
    return absl::OkStatus();
  }
  absl::Status OneSegment(bool in_variable) {
    if (Take('*')) {
      Push(Take('*') ? Kind::kRest : Kind::kOne, "");
      return absl::OkStatus();
    }
    if (Take('{')) return in_variable ? Fault("a variable inside a variable") : OneVariable();
    std::string literal = Word();
    if (literal.empty()) return Fault("an empty segment");
    Push(Kind::kLiteral, std::move(literal));
    return absl::OkStatus();
  }
  absl::Status OneVariable() {
    Variable variable;
    variable.field_path = Word();
    if (variable.field_path.empty()) return Fault("a variable without a name");
    variable.first = result_.segments_.size();
    if (Take('=')) {
      if (absl::Status status = Segments(true); !status.ok()) return status;
    } else {
      Push(Kind::kOne, "");
    }
    if (!Take('}')) return Fault("} expected");
    variable.count = result_.segments_.size() - variable.first;
    variable.several = variable.count > 1 || result_.segments_.back().kind == Kind::kRest;
    for (const Variable& other : result_.variables_) {
      if (other.field_path == variable.field_path) return Fault("a variable named twice");
    }
    result_.variables_.push_back(std::move(variable));
    return absl::OkStatus();
  }
  void Push(Kind kind, std::string literal) {
    result_.segments_.push_back({kind, std::move(literal)});
  }

  absl::string_view text_;
  size_t at_ = 0;
  HttpTemplate result_;
};

absl::StatusOr<HttpTemplate> HttpTemplate::Parse(absl::string_view text) {
  return Parser(text).Run();
}

bool HttpTemplate::SegmentsMatch(const SplitPath& path) const {
  if (path.verb != verb_ || segments_.empty()) return false;
  const bool rest = segments_.back().kind == Kind::kRest;
  if (rest ? path.segments.size() < segments_.size() - 1
           : path.segments.size() != segments_.size()) {
    return false;
  }
  const size_t fixed = segments_.size() - (rest ? 1 : 0);
  for (size_t i = 0; i < fixed; ++i) {
    const absl::string_view segment = path.segments[i];
    if (segment.empty()) return false;
    if (segments_[i].kind == Kind::kOne) continue;
    if (segment == segments_[i].literal) continue;
    if (!absl::StrContains(segment, '%') || PercentDecode(segment, false) != segments_[i].literal) {
      return false;
    }
  }
  return true;
}

std::string HttpTemplate::ValueOf(const Variable& variable, const SplitPath& path) const {
  if (!variable.several) return PercentDecode(path.segments[variable.first], false);
  const bool rest = segments_[variable.first + variable.count - 1].kind == Kind::kRest;
  const auto begin = path.segments.begin() + variable.first;
  const auto end = rest ? path.segments.end() : begin + variable.count;
  return absl::StrJoin(begin, end, "/", [](std::string* out, absl::string_view segment) {
    absl::StrAppend(out, PercentDecode(segment, true));
  });
}

std::optional<PathValues> HttpTemplate::Match(const SplitPath& path) const {
  if (!SegmentsMatch(path)) return std::nullopt;
  PathValues values;
  values.reserve(variables_.size());
  for (const Variable& variable : variables_) {
    values.emplace_back(variable.field_path, ValueOf(variable, path));
  }
  return values;
}

std::string HttpTemplate::Shape() const {
  std::string shape;
  for (const Segment& segment : segments_) {
    absl::StrAppend(&shape, "/",
                    segment.kind == Kind::kLiteral ? segment.literal
                    : segment.kind == Kind::kOne   ? "*"
                                                   : "**");
  }
  return verb_.empty() ? shape : absl::StrCat(shape, ":", verb_);
}

std::string HttpTemplate::OpenApiPath() const {
  std::string path;
  size_t variable = 0;
  for (size_t i = 0; i < segments_.size();) {
    if (variable < variables_.size() && variables_[variable].first == i) {
      absl::StrAppend(&path, "/{", variables_[variable].field_path, "}");
      i += variables_[variable].count;
      ++variable;
    } else {
      absl::StrAppend(&path, "/", segments_[i].literal);
      ++i;
    }
  }
  return verb_.empty() ? path : absl::StrCat(path, ":", verb_);
}

std::vector<std::string> HttpTemplate::VariableNames() const {
  std::vector<std::string> names;
  for (const Variable& variable : variables_) names.push_back(variable.field_path);
  return names;
}

bool HttpTemplate::MoreSpecificThan(const HttpTemplate& other) const {
  const size_t common = std::min(segments_.size(), other.segments_.size());
  for (size_t i = 0; i < common; ++i) {
    if (segments_[i].kind != other.segments_[i].kind) {
      return segments_[i].kind < other.segments_[i].kind;
    }
  }
  return segments_.size() > other.segments_.size();
}

}  // namespace switchyard::gateway
