#include "gateway/transcode/field_text.h"

#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/field_mask.pb.h"
#include "google/protobuf/timestamp.pb.h"
#include "google/protobuf/util/field_mask_util.h"
#include "google/protobuf/util/time_util.h"

namespace switchyard::gateway {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// Integers exactly; `1e3` and `2.0` too, which JSON counts as integers, as long as a double holds
// them exactly.
template <typename Integer>
std::optional<Integer> ParseInteger(absl::string_view text) {
  Integer value;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size()) return value;
  double number;
  if (text.find_first_of(".eE") == absl::string_view::npos || !absl::SimpleAtod(text, &number)) {
    return std::nullopt;
  }
  constexpr double kExact = 9007199254740992;  // 2^53
  if (number != std::trunc(number) || std::fabs(number) > kExact ||
      number < static_cast<double>(std::numeric_limits<Integer>::min()) ||
      number > static_cast<double>(std::numeric_limits<Integer>::max())) {
    return std::nullopt;
  }
  return static_cast<Integer>(number);
}

std::optional<double> ParseDouble(absl::string_view text) {
  if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (text == "Infinity") return std::numeric_limits<double>::infinity();
  if (text == "-Infinity") return -std::numeric_limits<double>::infinity();
  double value;
  // SimpleAtod takes more than JSON's numbers (inf, nan, hexadecimal is not among them).
  if (text.find_first_not_of("0123456789+-.eE") != absl::string_view::npos ||
      !absl::SimpleAtod(text, &value) || !std::isfinite(value)) {
    return std::nullopt;
  }
  return value;
}

std::optional<float> ParseFloat(absl::string_view text) {
  const std::optional<double> value = ParseDouble(text);
  if (!value.has_value()) return std::nullopt;
  if (std::isfinite(*value) && std::fabs(*value) > std::numeric_limits<float>::max()) {
    return std::nullopt;
  }
  return static_cast<float>(*value);
}

std::optional<bool> ParseBool(absl::string_view text) {
  if (text == "true") return true;
  if (text == "false") return false;
  return std::nullopt;
}

std::optional<std::string> ParseBytes(absl::string_view text) {
  std::string bytes;
  const bool web_safe = absl::StrContains(text, '-') || absl::StrContains(text, '_');
  if (web_safe ? absl::WebSafeBase64Unescape(text, &bytes) : absl::Base64Unescape(text, &bytes)) {
    return bytes;
  }
  return std::nullopt;
}

std::optional<int> ParseEnum(absl::string_view text, const FieldDescriptor* field) {
  const EnumValueDescriptor* value = field->enum_type()->FindValueByName(std::string(text));
  if (value != nullptr) return value->number();
  return ParseInteger<int32_t>(text);
}

// Sets or adds, by the reflection method of the type.
#define SWITCHYARD_STORE(Type, value)                             \
  do {                                                            \
    if (field->is_repeated()) {                                   \
      message->GetReflection()->Add##Type(message, field, value); \
    } else {                                                      \
      message->GetReflection()->Set##Type(message, field, value); \
    }                                                             \
    return true;                                                  \
  } while (false)

bool SetMessage(absl::string_view text, const FieldDescriptor* field, Message* message) {
  const auto* reflection = message->GetReflection();
  Message* child = field->is_repeated() ? reflection->AddMessage(message, field)
                                        : reflection->MutableMessage(message, field);
  namespace pb = google::protobuf;
  const std::string copy(text);
  if (auto* time = dynamic_cast<pb::Timestamp*>(child)) {
    return pb::util::TimeUtil::FromString(copy, time);
  }
  if (auto* duration = dynamic_cast<pb::Duration*>(child)) {
    return pb::util::TimeUtil::FromString(copy, duration);
  }
  if (auto* mask = dynamic_cast<pb::FieldMask*>(child)) {
    return pb::util::FieldMaskUtil::FromJsonString(copy, mask);
  }
  return false;
}

bool Store(absl::string_view text, const FieldDescriptor* field, Message* message) {
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      if (const auto value = ParseInteger<int32_t>(text)) SWITCHYARD_STORE(Int32, *value);
      return false;
    case FieldDescriptor::CPPTYPE_INT64:
      if (const auto value = ParseInteger<int64_t>(text)) SWITCHYARD_STORE(Int64, *value);
      return false;
    case FieldDescriptor::CPPTYPE_UINT32:
      if (const auto value = ParseInteger<uint32_t>(text)) SWITCHYARD_STORE(UInt32, *value);
      return false;
    case FieldDescriptor::CPPTYPE_UINT64:
      if (const auto value = ParseInteger<uint64_t>(text)) SWITCHYARD_STORE(UInt64, *value);
      return false;
    case FieldDescriptor::CPPTYPE_DOUBLE:
      if (const auto value = ParseDouble(text)) SWITCHYARD_STORE(Double, *value);
      return false;
    case FieldDescriptor::CPPTYPE_FLOAT:
      if (const auto value = ParseFloat(text)) SWITCHYARD_STORE(Float, *value);
      return false;
    case FieldDescriptor::CPPTYPE_BOOL:
      if (const auto value = ParseBool(text)) SWITCHYARD_STORE(Bool, *value);
      return false;
    case FieldDescriptor::CPPTYPE_ENUM:
      if (const auto value = ParseEnum(text, field)) SWITCHYARD_STORE(EnumValue, *value);
      return false;
    case FieldDescriptor::CPPTYPE_STRING:
      if (field->type() == FieldDescriptor::TYPE_STRING)
        SWITCHYARD_STORE(String, std::string(text));
      if (const auto value = ParseBytes(text)) SWITCHYARD_STORE(String, *value);
      return false;
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return HasTextForm(field->message_type()) && SetMessage(text, field, message);
  }
  return false;
}

#undef SWITCHYARD_STORE

std::string EnumNames(const FieldDescriptor* field) {
  std::vector<absl::string_view> names;
  for (int i = 0; i < field->enum_type()->value_count(); ++i) {
    const EnumValueDescriptor* value = field->enum_type()->value(i);
    if (value->number() != 0) names.push_back(value->name());
  }
  return absl::StrCat("one of ", absl::StrJoin(names, ", "));
}

}  // namespace

bool HasTextForm(const Descriptor* type) {
  const std::string& name = type->full_name();
  return name == "google.protobuf.Timestamp" || name == "google.protobuf.Duration" ||
         name == "google.protobuf.FieldMask";
}

std::string ExpectedText(const FieldDescriptor* field) {
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return "a 32-bit integer";
    case FieldDescriptor::CPPTYPE_INT64:
      return "a 64-bit integer";
    case FieldDescriptor::CPPTYPE_UINT32:
      return "an unsigned 32-bit integer";
    case FieldDescriptor::CPPTYPE_UINT64:
      return "an unsigned 64-bit integer";
    case FieldDescriptor::CPPTYPE_DOUBLE:
    case FieldDescriptor::CPPTYPE_FLOAT:
      return "a number";
    case FieldDescriptor::CPPTYPE_BOOL:
      return "true or false";
    case FieldDescriptor::CPPTYPE_ENUM:
      return EnumNames(field);
    case FieldDescriptor::CPPTYPE_STRING:
      return field->type() == FieldDescriptor::TYPE_STRING ? "a string" : "base64 in a string";
    case FieldDescriptor::CPPTYPE_MESSAGE:
      break;
  }
  const std::string& name = field->message_type()->full_name();
  if (name == "google.protobuf.Timestamp") return "a time such as \"2026-01-31T12:00:00Z\"";
  if (name == "google.protobuf.Duration") return "a duration such as \"1.5s\"";
  if (name == "google.protobuf.FieldMask") return "field names separated by commas";
  return "an object";
}

std::string SetFieldFromText(absl::string_view text, const FieldDescriptor* field,
                             Message* message) {
  return Store(text, field, message) ? std::string() : ExpectedText(field);
}

const FieldDescriptor* FindField(const Descriptor* type, absl::string_view name) {
  const std::string key(name);
  if (const FieldDescriptor* field = type->FindFieldByCamelcaseName(key);
      field != nullptr && field->json_name() == key) {
    return field;
  }
  if (const FieldDescriptor* field = type->FindFieldByName(key)) return field;
  for (int i = 0; i < type->field_count(); ++i) {
    if (type->field(i)->json_name() == key) return type->field(i);
  }
  return nullptr;
}

}  // namespace switchyard::gateway
