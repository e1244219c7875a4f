// Fields of messages by their path, `predict.source.artifact` or `command.inputs[0].artifact`: what
// a wire of a pipeline joins. Found by descriptor, so that a new kind of job needs nothing here.
//
// Thread-safe: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"

namespace switchyard::scheduler {

struct FieldPath {
  struct Part {
    const google::protobuf::FieldDescriptor* field = nullptr;
    int index = -1;  // Of a repeated field; -1: the field itself.
  };
  std::vector<Part> parts;  // At least one.

  const google::protobuf::FieldDescriptor& last() const { return *parts.back().field; }
  // Whether it may hold, or get, any number of values.
  bool IsList() const { return last().is_repeated() && parts.back().index < 0; }
};

// The path in messages of `type`. INVALID_ARGUMENT naming the part that is not there, and what is;
// maps cannot be passed through.
absl::StatusOr<FieldPath> ParseFieldPath(const google::protobuf::Descriptor& type,
                                         absl::string_view path);

// The types that can be joined.
enum class ValueType { kText, kWhole, kReal, kBool, kMessage };
ValueType TypeOf(const google::protobuf::FieldDescriptor& field);
absl::string_view NameOf(ValueType type);
// Whether a value of one type may be put into a field of another: the same, or a whole number where
// a real one is wanted.
bool Fits(ValueType value, ValueType field);

using FieldValue = std::variant<std::string, int64_t, double, bool>;

// The values at `path`: one, or all elements of a list. Nothing where a message on the way, or a
// text, is not set. REQUIRES: the path is one of this message's type.
std::vector<FieldValue> ReadField(const google::protobuf::Message& from, const FieldPath& path);

// Sets the field, or appends to a list. INVALID_ARGUMENT: not one value for a field that takes one,
// a number out of the field's range, or an element that is not there.
absl::Status WriteField(google::protobuf::Message& to, const FieldPath& path,
                        absl::Span<const FieldValue> values);

// A text as a value of `type`; INVALID_ARGUMENT when it is none.
absl::StatusOr<FieldValue> ParseValue(absl::string_view text, ValueType type);
std::string FormatValue(const FieldValue& value);

}  // namespace switchyard::scheduler
