#include "gateway/transcode/json_cursor.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/status/error.h"

namespace switchyard::gateway {
namespace {

// Bytes of the UTF-8 sequence that begins with `first`; 0 when none does.
size_t SequenceLength(uint8_t first) {
  if (first >= 0xC2 && first <= 0xDF) return 2;
  if ((first & 0xF0) == 0xE0) return 3;
  if (first >= 0xF0 && first <= 0xF4) return 4;
  return 0;
}

void AppendUtf8(uint32_t code, std::string* out) {
  if (code < 0x80) {
    *out += static_cast<char>(code);
  } else if (code < 0x800) {
    *out += static_cast<char>(0xC0 | (code >> 6));
    *out += static_cast<char>(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    *out += static_cast<char>(0xE0 | (code >> 12));
    *out += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
    *out += static_cast<char>(0x80 | (code & 0x3F));
  } else {
    *out += static_cast<char>(0xF0 | (code >> 18));
    *out += static_cast<char>(0x80 | ((code >> 12) & 0x3F));
    *out += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
    *out += static_cast<char>(0x80 | (code & 0x3F));
  }
}

}  // namespace

void JsonCursor::Fault(absl::string_view what) {
  if (!status_.ok()) return;
  const absl::string_view before = text_.substr(0, at_);
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const size_t line_start = before.rfind('\n');
  const size_t column = line_start == absl::string_view::npos ? at_ + 1 : at_ - line_start;
  status_ = MakeError(
      absl::StatusCode::kInvalidArgument, "MALFORMED_JSON",
      absl::StrCat("the body is not valid JSON: line ", line, ", column ", column, ": ", what),
      {{"line", absl::StrCat(line)}, {"column", absl::StrCat(column)}});
}

void JsonCursor::SkipSpace() {
  while (at_ < text_.size() &&
         (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r')) {
    ++at_;
  }
}

JsonCursor::Kind JsonCursor::Peek() {
  if (!ok()) return Kind::kFault;
  SkipSpace();
  if (at_ == text_.size()) {
    Fault("a value is expected where the text ends");
    return Kind::kFault;
  }
  const char c = text_[at_];
  if (c == '{') return Kind::kObject;
  if (c == '[') return Kind::kArray;
  if (c == '"') return Kind::kString;
  if (c == '-' || absl::ascii_isdigit(c)) return Kind::kNumber;
  const absl::string_view rest = text_.substr(at_);
  if (absl::StartsWith(rest, "true")) return Kind::kTrue;
  if (absl::StartsWith(rest, "false")) return Kind::kFalse;
  if (absl::StartsWith(rest, "null")) return Kind::kNull;
  Fault("a value is expected");
  return Kind::kFault;
}

void JsonCursor::Enter() {
  if (++depth_ > kMaxDepth) return Fault("nested deeper than 64 levels");
  ++at_;
  first_ = true;
}

// Takes the closing bracket, or the comma that must stand between elements.
bool JsonCursor::Closes(char bracket) {
  SkipSpace();
  if (at_ < text_.size() && text_[at_] == bracket) {
    ++at_;
    --depth_;
    first_ = false;
    return true;
  }
  if (!first_) {
    if (at_ >= text_.size() || text_[at_] != ',') {
      Fault(bracket == '}' ? ", or } expected" : ", or ] expected");
    } else {
      ++at_;
      SkipSpace();
    }
  }
  first_ = false;
  return false;
}

bool JsonCursor::NextKey(std::string* key) {
  if (!ok() || Closes('}') || !ok()) return false;
  if (at_ >= text_.size() || text_[at_] != '"') {
    Fault("a key in double quotes is expected");
    return false;
  }
  *key = TakeString();
  SkipSpace();
  if (ok() && (at_ >= text_.size() || text_[at_] != ':')) Fault(": expected after a key");
  ++at_;
  return ok();
}

bool JsonCursor::NextElement() { return ok() && !Closes(']') && ok(); }

bool JsonCursor::TakeHex4(uint32_t* value) {
  *value = 0;
  for (int i = 0; i < 4; ++i, ++at_) {
    if (at_ >= text_.size() || !absl::ascii_isxdigit(text_[at_])) return false;
    const char c = absl::ascii_tolower(text_[at_]);
    *value = *value * 16 + (c <= '9' ? c - '0' : c - 'a' + 10);
  }
  return true;
}

bool JsonCursor::TakeUnicodeEscape(std::string* out) {
  uint32_t code = 0;
  if (!TakeHex4(&code)) return false;
  if (code >= 0xDC00 && code <= 0xDFFF) return false;
  if (code >= 0xD800 && code <= 0xDBFF) {
    uint32_t low = 0;
    if (!absl::StartsWith(text_.substr(std::min(at_, text_.size())), "\\u")) return false;
    at_ += 2;
    if (!TakeHex4(&low) || low < 0xDC00 || low > 0xDFFF) return false;
    code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
  }
  AppendUtf8(code, out);
  return true;
}

bool JsonCursor::TakeEscape(std::string* out) {
  if (++at_ >= text_.size()) return false;
  static constexpr char kEscapes[] = "\"\\/bfnrt";
  static constexpr char kMeanings[] = "\"\\/\b\f\n\r\t";
  const char c = text_[at_++];
  if (c == 'u') return TakeUnicodeEscape(out);
  for (int i = 0; kEscapes[i] != '\0'; ++i) {
    if (kEscapes[i] != c) continue;
    *out += kMeanings[i];
    return true;
  }
  return false;
}

bool JsonCursor::TakeUtf8(std::string* out) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text_[at_ + i]); };
  const size_t length = SequenceLength(byte(0));
  if (length == 0 || at_ + length > text_.size()) return false;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return false;
  }
  const uint8_t second = byte(1);
  if ((byte(0) == 0xE0 && second < 0xA0) || (byte(0) == 0xED && second >= 0xA0) ||
      (byte(0) == 0xF0 && second < 0x90) || (byte(0) == 0xF4 && second >= 0x90)) {
    return false;
  }
  out->append(text_.data() + at_, length);
  at_ += length;
  return true;
}

std::string JsonCursor::TakeString() {
  std::string out;
  ++at_;
  while (ok()) {
    const size_t begin = at_;
    while (at_ < text_.size() && text_[at_] >= 0x20 && text_[at_] != '"' && text_[at_] != '\\' &&
           text_[at_] != 0x7F) {
      ++at_;
    }
    out.append(text_.data() + begin, at_ - begin);
    if (at_ >= text_.size()) {
      Fault("a string is not closed");
    } else if (text_[at_] == '"') {
      ++at_;
      break;
    } else if (text_[at_] == '\\') {
      if (!TakeEscape(&out)) Fault("a bad escape in a string");
    } else if (text_[at_] == 0x7F) {
      out += text_[at_++];
    } else if (static_cast<uint8_t>(text_[at_]) < 0x20) {
      Fault("a control character in a string");
    } else if (!TakeUtf8(&out)) {
      Fault("bytes in a string are not UTF-8");
    }
  }
  return out;
}

bool JsonCursor::TakeDigits() {
  const size_t begin = at_;
  while (at_ < text_.size() && absl::ascii_isdigit(text_[at_])) ++at_;
  return at_ > begin;
}

absl::string_view JsonCursor::TakeNumber() {
  const size_t begin = at_;
  if (text_[at_] == '-') ++at_;
  const size_t integer = at_;
  bool good = TakeDigits() && (text_[integer] != '0' || at_ == integer + 1);
  if (good && at_ < text_.size() && text_[at_] == '.') {
    ++at_;
    good = TakeDigits();
  }
  if (good && at_ < text_.size() && (text_[at_] == 'e' || text_[at_] == 'E')) {
    ++at_;
    if (at_ < text_.size() && (text_[at_] == '+' || text_[at_] == '-')) ++at_;
    good = TakeDigits();
  }
  if (!good) Fault("a malformed number");
  return text_.substr(begin, at_ - begin);
}

void JsonCursor::TakeWord() { at_ += text_[at_] == 'f' ? 5 : 4; }

absl::string_view JsonCursor::SkipValue() {
  const Kind kind = Peek();
  const size_t begin = at_;
  std::string key;
  switch (kind) {
    case Kind::kObject:
      EnterObject();
      while (NextKey(&key)) SkipValue();
      break;
    case Kind::kArray:
      EnterArray();
      while (NextElement()) SkipValue();
      break;
    case Kind::kString:
      TakeString();
      break;
    case Kind::kNumber:
      TakeNumber();
      break;
    case Kind::kFault:
      return {};
    default:
      TakeWord();
  }
  return text_.substr(begin, at_ - begin);
}

void JsonCursor::ExpectEnd() {
  SkipSpace();
  if (ok() && at_ != text_.size()) Fault("text after the value");
}

}  // namespace switchyard::gateway
