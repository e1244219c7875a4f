#include "scheduler/pipeline/field_path.h"

#include <limits>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace switchyard::scheduler {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

std::string FieldNames(const Descriptor& type) {
  std::vector<std::string> names;
  for (int i = 0; i < type.field_count(); ++i) names.push_back(type.field(i)->name());
  return absl::StrJoin(names, ", ");
}

// `name` or `name[3]`.
absl::StatusOr<FieldPath::Part> ParsePart(const Descriptor& type, absl::string_view text) {
  FieldPath::Part part;
  absl::string_view name = text;
  if (const size_t open = text.find('['); open != absl::string_view::npos) {
    absl::string_view index = text.substr(open + 1);
    name = text.substr(0, open);
    if (!absl::ConsumeSuffix(&index, "]") || !absl::SimpleAtoi(index, &part.index) ||
        part.index < 0) {
      return absl::InvalidArgumentError(absl::StrCat("\"", text, "\" must be NAME or NAME[N]"));
    }
  }
  part.field = type.FindFieldByName(std::string(name));
  if (part.field == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat("there is no \"", name, "\" in ", type.name(),
                                                   "; there are: ", FieldNames(type)));
  }
  if (part.field->is_map() || (part.index >= 0 && !part.field->is_repeated())) {
    return absl::InvalidArgumentError(absl::StrCat("\"", text, "\" cannot be named by its index"));
  }
  return part;
}

// The message that holds the last part; null: one on the way is not set or not there.
const Message* FindParent(const Message& from, const FieldPath& path) {
  const Message* at = &from;
  for (size_t i = 0; i + 1 < path.parts.size(); ++i) {
    const auto& [field, index] = path.parts[i];
    const Reflection& reflection = *at->GetReflection();
    if (index >= 0) {
      if (index >= reflection.FieldSize(*at, field)) return nullptr;
      at = &reflection.GetRepeatedMessage(*at, field, index);
    } else {
      if (!reflection.HasField(*at, field)) return nullptr;
      at = &reflection.GetMessage(*at, field);
    }
  }
  return at;
}

Message* MakeParent(Message& to, const FieldPath& path) {
  Message* at = &to;
  for (size_t i = 0; i + 1 < path.parts.size(); ++i) {
    const auto& [field, index] = path.parts[i];
    const Reflection& reflection = *at->GetReflection();
    if (index >= 0) {
      if (index >= reflection.FieldSize(*at, field)) return nullptr;
      at = reflection.MutableRepeatedMessage(at, field, index);
    } else {
      at = reflection.MutableMessage(at, field);
    }
  }
  return at;
}

// One way to read for single fields and elements: `index` below 0 means the field itself.
FieldValue ReadOne(const Message& from, const FieldDescriptor* field, int index) {
  const Reflection& r = *from.GetReflection();
  const bool each = index >= 0;
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return int64_t{each ? r.GetRepeatedInt32(from, field, index) : r.GetInt32(from, field)};
    case FieldDescriptor::CPPTYPE_INT64:
      return int64_t{each ? r.GetRepeatedInt64(from, field, index) : r.GetInt64(from, field)};
    case FieldDescriptor::CPPTYPE_UINT32:
      return int64_t{each ? r.GetRepeatedUInt32(from, field, index) : r.GetUInt32(from, field)};
    case FieldDescriptor::CPPTYPE_UINT64:
      return static_cast<int64_t>(each ? r.GetRepeatedUInt64(from, field, index)
                                       : r.GetUInt64(from, field));
    case FieldDescriptor::CPPTYPE_ENUM:
      return int64_t{each ? r.GetRepeatedEnumValue(from, field, index)
                          : r.GetEnumValue(from, field)};
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return each ? r.GetRepeatedDouble(from, field, index) : r.GetDouble(from, field);
    case FieldDescriptor::CPPTYPE_FLOAT:
      return double{each ? r.GetRepeatedFloat(from, field, index) : r.GetFloat(from, field)};
    case FieldDescriptor::CPPTYPE_BOOL:
      return each ? r.GetRepeatedBool(from, field, index) : r.GetBool(from, field);
    default:
      return each ? r.GetRepeatedString(from, field, index) : r.GetString(from, field);
  }
}

bool InRange(const FieldDescriptor* field, int64_t value) {
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
    case FieldDescriptor::CPPTYPE_ENUM:
      return value >= std::numeric_limits<int32_t>::min() &&
             value <= std::numeric_limits<int32_t>::max();
    case FieldDescriptor::CPPTYPE_UINT32:
      return value >= 0 && value <= std::numeric_limits<uint32_t>::max();
    case FieldDescriptor::CPPTYPE_UINT64:
      return value >= 0;
    default:
      return true;
  }
}

// REQUIRES: in range.
void WriteWhole(Message* to, const FieldDescriptor* field, bool add, int64_t value) {
  const Reflection& r = *to->GetReflection();
  const auto as32 = static_cast<int32_t>(value);
  const auto unsigned32 = static_cast<uint32_t>(value);
  const auto unsigned64 = static_cast<uint64_t>(value);
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return add ? r.AddInt32(to, field, as32) : r.SetInt32(to, field, as32);
    case FieldDescriptor::CPPTYPE_INT64:
      return add ? r.AddInt64(to, field, value) : r.SetInt64(to, field, value);
    case FieldDescriptor::CPPTYPE_UINT32:
      return add ? r.AddUInt32(to, field, unsigned32) : r.SetUInt32(to, field, unsigned32);
    case FieldDescriptor::CPPTYPE_UINT64:
      return add ? r.AddUInt64(to, field, unsigned64) : r.SetUInt64(to, field, unsigned64);
    default:
      return add ? r.AddEnumValue(to, field, as32) : r.SetEnumValue(to, field, as32);
  }
}

void WriteReal(Message* to, const FieldDescriptor* field, bool add, double value) {
  const Reflection& r = *to->GetReflection();
  if (field->cpp_type() == FieldDescriptor::CPPTYPE_FLOAT) {
    const auto narrow = static_cast<float>(value);
    return add ? r.AddFloat(to, field, narrow) : r.SetFloat(to, field, narrow);
  }
  return add ? r.AddDouble(to, field, value) : r.SetDouble(to, field, value);
}

absl::Status WriteOne(Message* to, const FieldDescriptor* field, bool add,
                      const FieldValue& value) {
  const Reflection& r = *to->GetReflection();
  const ValueType type = TypeOf(*field);
  const auto* whole = std::get_if<int64_t>(&value);
  if (const auto* text = std::get_if<std::string>(&value); text && type == ValueType::kText) {
    add ? r.AddString(to, field, *text) : r.SetString(to, field, *text);
  } else if (whole && type == ValueType::kWhole && InRange(field, *whole)) {
    WriteWhole(to, field, add, *whole);
  } else if (whole && type == ValueType::kReal) {
    WriteReal(to, field, add, static_cast<double>(*whole));
  } else if (const auto* real = std::get_if<double>(&value); real && type == ValueType::kReal) {
    WriteReal(to, field, add, *real);
  } else if (const auto* truth = std::get_if<bool>(&value); truth && type == ValueType::kBool) {
    add ? r.AddBool(to, field, *truth) : r.SetBool(to, field, *truth);
  } else {
    return absl::InvalidArgumentError(
        absl::StrCat("`", field->name(), "` cannot hold ", FormatValue(value)));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<FieldPath> ParseFieldPath(const Descriptor& type, absl::string_view path) {
  FieldPath parsed;
  const Descriptor* at = &type;
  for (const absl::string_view text : absl::StrSplit(path, '.')) {
    if (at == nullptr) {
      return absl::InvalidArgumentError(
          absl::StrCat("there is nothing below \"", parsed.last().name(), "\" in ", type.name()));
    }
    const bool inside_list = !parsed.parts.empty() && parsed.IsList();
    if (inside_list) {
      return absl::InvalidArgumentError(absl::StrCat(
          "\"", parsed.last().name(), "\" is a list; name one as ", parsed.last().name(), "[N]"));
    }
    absl::StatusOr<FieldPath::Part> part = ParsePart(*at, text);
    if (!part.ok()) return part.status();
    parsed.parts.push_back(*part);
    at = part->field->message_type();
  }
  return parsed;
}

ValueType TypeOf(const FieldDescriptor& field) {
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      return ValueType::kText;
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return ValueType::kMessage;
    case FieldDescriptor::CPPTYPE_DOUBLE:
    case FieldDescriptor::CPPTYPE_FLOAT:
      return ValueType::kReal;
    case FieldDescriptor::CPPTYPE_BOOL:
      return ValueType::kBool;
    default:
      return ValueType::kWhole;
  }
}

absl::string_view NameOf(ValueType type) {
  constexpr absl::string_view kNames[] = {"a text", "a whole number", "a number", "true or false",
                                          "a message"};
  return kNames[static_cast<int>(type)];
}

bool Fits(ValueType value, ValueType field) {
  if (value == ValueType::kMessage || field == ValueType::kMessage) return false;
  return value == field || (value == ValueType::kWhole && field == ValueType::kReal);
}

std::vector<FieldValue> ReadField(const Message& from, const FieldPath& path) {
  std::vector<FieldValue> values;
  const Message* parent = FindParent(from, path);
  if (parent == nullptr) return values;
  const auto& [field, index] = path.parts.back();
  const Reflection& reflection = *parent->GetReflection();
  const int size = field->is_repeated() ? reflection.FieldSize(*parent, field) : 0;
  if (path.IsList()) {
    for (int i = 0; i < size; ++i) values.push_back(ReadOne(*parent, field, i));
  } else if (index < 0 || index < size) {
    values.push_back(ReadOne(*parent, field, index));
    const auto* text = std::get_if<std::string>(&values.back());
    if (text != nullptr && text->empty()) values.clear();
  }
  return values;
}

absl::Status WriteField(Message& to, const FieldPath& path, absl::Span<const FieldValue> values) {
  Message* parent = MakeParent(to, path);
  if (parent == nullptr) return absl::InvalidArgumentError("it names an element that is not there");
  const auto& [field, index] = path.parts.back();
  if (index >= 0) return absl::InvalidArgumentError("an element of a list cannot be replaced");
  const bool list = field->is_repeated();
  if (!list && values.size() != 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("`", field->name(), "` takes one value; there are ", values.size()));
  }
  for (const FieldValue& value : values) {
    if (absl::Status status = WriteOne(parent, field, list, value); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::StatusOr<FieldValue> ParseValue(absl::string_view text, ValueType type) {
  int64_t whole = 0;
  double real = 0;
  bool truth = false;
  if (type == ValueType::kText) return FieldValue(std::string(text));
  if (type == ValueType::kWhole && absl::SimpleAtoi(text, &whole)) return FieldValue(whole);
  if (type == ValueType::kReal && absl::SimpleAtod(text, &real)) return FieldValue(real);
  if (type == ValueType::kBool && absl::SimpleAtob(text, &truth)) return FieldValue(truth);
  return absl::InvalidArgumentError(absl::StrCat("\"", text, "\" is not ", NameOf(type)));
}

std::string FormatValue(const FieldValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* whole = std::get_if<int64_t>(&value)) return absl::StrCat(*whole);
  if (const auto* real = std::get_if<double>(&value)) return absl::StrCat(*real);
  return std::get<bool>(value) ? "true" : "false";
}

}  // namespace switchyard::scheduler
