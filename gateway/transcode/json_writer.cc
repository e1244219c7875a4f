#include "gateway/transcode/json_writer.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/log/log.h"
#include "google/protobuf/any.pb.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/field_mask.pb.h"
#include "google/protobuf/timestamp.pb.h"
#include "google/protobuf/util/field_mask_util.h"
#include "google/protobuf/util/json_util.h"
#include "google/protobuf/util/time_util.h"

namespace switchyard::gateway {
namespace {

using google::protobuf::Any;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// Escaping byte by byte is only needed where something is to be escaped.
void AppendString(absl::string_view text, std::string* out) {
  const bool plain = std::all_of(text.begin(), text.end(), [](char c) {
    return c >= 0x20 && c < 0x7F && c != '"' && c != '\\';
  });
  if (plain) {
    absl::StrAppend(out, "\"", text, "\"");
  } else {
    out->append(JsonQuote(text));
  }
}

template <typename Float>
void AppendFloat(Float value, std::string* out) {
  if (std::isnan(value)) {
    out->append("\"NaN\"");
  } else if (std::isinf(value)) {
    out->append(value > 0 ? "\"Infinity\"" : "\"-Infinity\"");
  } else {
    char buffer[40];
    const auto end = std::to_chars(buffer, buffer + sizeof(buffer), value).ptr;
    out->append(buffer, end - buffer);
  }
}

void AppendEnum(int number, const FieldDescriptor* field, std::string* out) {
  const auto* value = field->enum_type()->FindValueByNumber(number);
  if (value != nullptr) {
    absl::StrAppend(out, "\"", value->name(), "\"");
  } else {
    absl::StrAppend(out, number);
  }
}

void AppendBody(const Message& message, bool top, bool comma, std::string* out);

void AppendAny(const Any& any, std::string* out) {
  const auto* pool = google::protobuf::DescriptorPool::generated_pool();
  const std::string name = any.type_url().substr(any.type_url().rfind('/') + 1);
  const auto* type = pool->FindMessageTypeByName(name);
  absl::StrAppend(out, "{\"@type\":");
  AppendString(any.type_url(), out);
  if (type != nullptr && !absl::StartsWith(name, "google.protobuf.")) {
    const auto* prototype =
        google::protobuf::MessageFactory::generated_factory()->GetPrototype(type);
    const std::unique_ptr<Message> inner(prototype->New());
    if (inner->ParseFromString(any.value())) {
      AppendBody(*inner, false, true, out);
      out->append("}");
      return;
    }
  }
  absl::StrAppend(out, ",\"value\":\"", absl::Base64Escape(any.value()), "\"}");
}

void AppendOther(const Message& message, std::string* out) {
  std::string text;
  const auto status = google::protobuf::util::MessageToJsonString(message, &text);
  out->append(status.ok() ? text : "null");
}

void AppendMessage(const Message& message, bool top, std::string* out) {
  namespace pb = google::protobuf;
  const std::string& name = message.GetDescriptor()->full_name();
  if (absl::StartsWith(name, "google.protobuf.") && name != "google.protobuf.Empty") {
    if (const auto* time = dynamic_cast<const pb::Timestamp*>(&message)) {
      absl::StrAppend(out, "\"", pb::util::TimeUtil::ToString(*time), "\"");
    } else if (const auto* duration = dynamic_cast<const pb::Duration*>(&message)) {
      absl::StrAppend(out, "\"", pb::util::TimeUtil::ToString(*duration), "\"");
    } else if (const auto* mask = dynamic_cast<const pb::FieldMask*>(&message)) {
      std::string text;
      AppendString(pb::util::FieldMaskUtil::ToJsonString(*mask, &text) ? text : "", out);
    } else if (const auto* any = dynamic_cast<const Any*>(&message)) {
      AppendAny(*any, out);
    } else {
      AppendOther(message, out);
    }
    return;
  }
  out->append("{");
  AppendBody(message, top, false, out);
  out->append("}");
}

// A singular value, or element `index` of a list.
void AppendValue(const Message& message, const FieldDescriptor* field, int index,
                 std::string* out) {
  const Reflection* r = message.GetReflection();
  const bool list = field->is_repeated();
#define SWITCHYARD_GET(Type) \
  (list ? r->GetRepeated##Type(message, field, index) : r->Get##Type(message, field))
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      absl::StrAppend(out, SWITCHYARD_GET(Int32));
      break;
    case FieldDescriptor::CPPTYPE_UINT32:
      absl::StrAppend(out, SWITCHYARD_GET(UInt32));
      break;
    case FieldDescriptor::CPPTYPE_INT64:
      absl::StrAppend(out, "\"", SWITCHYARD_GET(Int64), "\"");
      break;
    case FieldDescriptor::CPPTYPE_UINT64:
      absl::StrAppend(out, "\"", SWITCHYARD_GET(UInt64), "\"");
      break;
    case FieldDescriptor::CPPTYPE_DOUBLE:
      AppendFloat(SWITCHYARD_GET(Double), out);
      break;
    case FieldDescriptor::CPPTYPE_FLOAT:
      AppendFloat(SWITCHYARD_GET(Float), out);
      break;
    case FieldDescriptor::CPPTYPE_BOOL:
      out->append(SWITCHYARD_GET(Bool) ? "true" : "false");
      break;
    case FieldDescriptor::CPPTYPE_ENUM:
      AppendEnum(SWITCHYARD_GET(EnumValue), field, out);
      break;
    case FieldDescriptor::CPPTYPE_STRING: {
      std::string scratch;
      const std::string& text = list
                                    ? r->GetRepeatedStringReference(message, field, index, &scratch)
                                    : r->GetStringReference(message, field, &scratch);
      if (field->type() == FieldDescriptor::TYPE_BYTES) {
        absl::StrAppend(out, "\"", absl::Base64Escape(text), "\"");
      } else {
        AppendString(text, out);
      }
      break;
    }
    case FieldDescriptor::CPPTYPE_MESSAGE:
      AppendMessage(SWITCHYARD_GET(Message), false, out);
      break;
  }
#undef SWITCHYARD_GET
}

void AppendKey(const Message& entry, const FieldDescriptor* key, std::string* out) {
  std::string text;
  AppendValue(entry, key, 0, &text);
  if (absl::StartsWith(text, "\"")) {
    out->append(text);
  } else {
    absl::StrAppend(out, "\"", text, "\"");
  }
}

// By key, so that the same message always gives the same text.
void AppendMap(const Message& message, const FieldDescriptor* field, std::string* out) {
  const Reflection* r = message.GetReflection();
  const auto* entry_type = field->message_type();
  std::vector<std::string> entries;
  for (int i = 0; i < r->FieldSize(message, field); ++i) {
    const Message& entry = r->GetRepeatedMessage(message, field, i);
    std::string text;
    AppendKey(entry, entry_type->map_key(), &text);
    text.append(":");
    AppendValue(entry, entry_type->map_value(), 0, &text);
    entries.push_back(std::move(text));
  }
  std::sort(entries.begin(), entries.end());
  out->append("{");
  for (size_t i = 0; i < entries.size(); ++i) {
    if (i > 0) out->append(",");
    out->append(entries[i]);
  }
  out->append("}");
}

void AppendFieldValue(const Message& message, const FieldDescriptor* field, std::string* out) {
  if (field->is_map()) return AppendMap(message, field, out);
  if (!field->is_repeated()) return AppendValue(message, field, 0, out);
  const int size = message.GetReflection()->FieldSize(message, field);
  out->append("[");
  for (int i = 0; i < size; ++i) {
    if (i > 0) out->append(",");
    AppendValue(message, field, i, out);
  }
  out->append("]");
}

bool PrintedWhenUnset(const FieldDescriptor* field) {
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
    case FieldDescriptor::CPPTYPE_ENUM:
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return false;
    default:
      return !field->has_presence();
  }
}

bool IsPrinted(const Message& message, const FieldDescriptor* field, bool top) {
  const Reflection* r = message.GetReflection();
  if (field->is_repeated()) return (top && !field->is_map()) || r->FieldSize(message, field) > 0;
  return PrintedWhenUnset(field) || r->HasField(message, field);
}

void AppendBody(const Message& message, bool top, bool comma, std::string* out) {
  const auto* type = message.GetDescriptor();
  for (int i = 0; i < type->field_count(); ++i) {
    const FieldDescriptor* field = type->field(i);
    if (!IsPrinted(message, field, top)) continue;
    absl::StrAppend(out, comma ? ",\"" : "\"", field->json_name(), "\":");
    comma = true;
    AppendFieldValue(message, field, out);
  }
}

}  // namespace

void AppendJson(const Message& message, std::string* out) { AppendMessage(message, true, out); }

void AppendFieldJson(const Message& message, const FieldDescriptor* field, std::string* out) {
  if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE && !field->is_repeated()) {
    AppendMessage(message.GetReflection()->GetMessage(message, field), true, out);
  } else {
    AppendFieldValue(message, field, out);
  }
}

}  // namespace switchyard::gateway
