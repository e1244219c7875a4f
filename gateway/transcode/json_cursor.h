// A strict reader of JSON text (RFC 8259) that is walked, not loaded: the caller asks for what it
// expects next.
//
// Why not a library's tree: the transcoder needs numbers as written (64-bit integers are exact),
// every key in order (duplicates are errors) and the position of a fault, and it needs no tree. Not
// thread-safe. Views into the text; the text must outlive the cursor. The first fault sticks:
// everything after it answers "nothing more".
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace switchyard::gateway {

class JsonCursor {
 public:
  enum class Kind { kObject, kArray, kString, kNumber, kTrue, kFalse, kNull, kFault };

  explicit JsonCursor(absl::string_view text) : text_(text) {}

  // OK, or INVALID_ARGUMENT with line and column of the fault.
  const absl::Status& status() const { return status_; }
  bool ok() const { return status_.ok(); }

  // What the next value is, without taking it.
  Kind Peek();

  // REQUIRES: Peek() said so.
  void EnterObject() { Enter(); }
  void EnterArray() { Enter(); }
  // The next key, its colon taken too; false after the closing brace, or on a fault.
  bool NextKey(std::string* key);
  // False after the closing bracket, or on a fault.
  bool NextElement();
  // Decoded. Lone surrogates, control characters and bytes that are not UTF-8 are faults.
  std::string TakeString();
  // As written.
  absl::string_view TakeNumber();
  // true, false or null.
  void TakeWord();
  // Takes the next value whole, checks its syntax and returns its text.
  absl::string_view SkipValue();
  // A fault unless only white space is left.
  void ExpectEnd();

 private:
  void Enter();
  void SkipSpace();
  void Fault(absl::string_view what);
  bool Closes(char bracket);
  bool TakeEscape(std::string* out);
  bool TakeHex4(uint32_t* value);
  bool TakeUnicodeEscape(std::string* out);
  bool TakeUtf8(std::string* out);
  bool TakeDigits();

  // Deeper text is refused, so that the recursion over it is bounded.
  static constexpr int kMaxDepth = 64;

  absl::string_view text_;
  size_t at_ = 0;
  int depth_ = 0;
  // After an opening bracket: the next element needs no comma before it.
  bool first_ = false;
  absl::Status status_;
};

}  // namespace switchyard::gateway
