#include "gateway/transcode/openapi_schema.h"

#include <boost/json/array.hpp>
#include <utility>

#include "absl/strings/match.h"

namespace switchyard::gateway {
namespace {

using boost::json::array;
using boost::json::object;
using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;

// `switchyard.v1.Job.State` is `Job.State`; other packages keep their names.
std::string SchemaName(std::string full_name) {
  constexpr absl::string_view kOwn = "switchyard.v1.";
  if (absl::StartsWith(full_name, kOwn)) full_name.erase(0, kOwn.size());
  return full_name;
}

object Reference(const std::string& name) { return {{"$ref", "#/components/schemas/" + name}}; }

// Messages whose JSON form is not an object of their fields; empty for all others.
object WellKnown(const std::string& name) {
  if (name == "google.protobuf.Timestamp") return {{"type", "string"}, {"format", "date-time"}};
  if (name == "google.protobuf.Duration") {
    return {{"type", "string"}, {"pattern", "^-?[0-9]+(\\.[0-9]{1,9})?s$"}};
  }
  if (name == "google.protobuf.FieldMask") return {{"type", "string"}};
  if (name == "google.protobuf.Any") {
    return {{"type", "object"},
            {"properties", {{"@type", {{"type", "string"}}}}},
            {"additionalProperties", true}};
  }
  return {};
}

object Scalar(const FieldDescriptor* field) {
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return {{"type", "integer"}, {"format", "int32"}};
    case FieldDescriptor::CPPTYPE_UINT32:
      return {{"type", "integer"}, {"format", "uint32"}, {"minimum", 0}};
    // Written as strings, since JavaScript's numbers end at 2^53; numbers are read too.
    case FieldDescriptor::CPPTYPE_INT64:
      return {{"type", array{"string", "integer"}}, {"format", "int64"}};
    case FieldDescriptor::CPPTYPE_UINT64:
      return {{"type", array{"string", "integer"}}, {"format", "uint64"}};
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return {{"type", "number"}, {"format", "double"}};
    case FieldDescriptor::CPPTYPE_FLOAT:
      return {{"type", "number"}, {"format", "float"}};
    case FieldDescriptor::CPPTYPE_BOOL:
      return {{"type", "boolean"}};
    default:
      break;
  }
  if (field->type() == FieldDescriptor::TYPE_BYTES) {
    return {{"type", "string"}, {"contentEncoding", "base64"}};
  }
  return {{"type", "string"}};
}

}  // namespace

object SchemaBook::ForElement(const FieldDescriptor* field) {
  if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE)
    return ForMessage(field->message_type());
  if (field->cpp_type() == FieldDescriptor::CPPTYPE_ENUM) {
    DefineEnum(field->enum_type());
    return Reference(SchemaName(field->enum_type()->full_name()));
  }
  return Scalar(field);
}

object SchemaBook::ForField(const FieldDescriptor* field) {
  object schema;
  if (field->is_map()) {
    schema = {{"type", "object"},
              {"additionalProperties", ForElement(field->message_type()->map_value())}};
  } else if (field->is_repeated()) {
    schema = {{"type", "array"}, {"items", ForElement(field)}};
  } else {
    schema = ForElement(field);
  }
  if (std::string comment = CommentOf(field); !comment.empty()) {
    schema["description"] = std::move(comment);
  }
  return schema;
}

object SchemaBook::ForMessage(const Descriptor* type) {
  if (object known = WellKnown(type->full_name()); !known.empty()) return known;
  Define(type);
  return Reference(SchemaName(type->full_name()));
}

void SchemaBook::Define(const Descriptor* type) {
  const std::string name = SchemaName(type->full_name());
  if (!begun_.insert(name).second) return;
  object schema{{"type", "object"}};
  if (std::string comment = CommentOf(type); !comment.empty()) {
    schema["description"] = std::move(comment);
  }
  object properties;
  for (int i = 0; i < type->field_count(); ++i) {
    properties[type->field(i)->json_name()] = ForField(type->field(i));
  }
  schema["properties"] = std::move(properties);
  schema["additionalProperties"] = false;
  schemas_[name] = std::move(schema);
}

void SchemaBook::DefineEnum(const EnumDescriptor* type) {
  const std::string name = SchemaName(type->full_name());
  if (!begun_.insert(name).second) return;
  array names;
  std::string text = CommentOf(type);
  for (int i = 0; i < type->value_count(); ++i) {
    names.emplace_back(type->value(i)->name());
    if (std::string comment = CommentOf(type->value(i)); !comment.empty()) {
      text += "\n- " + type->value(i)->name() + ": " + comment;
    }
  }
  schemas_[name] = {
      {"type", "string"}, {"enum", std::move(names)}, {"description", std::move(text)}};
}

object SchemaBook::Take() {
  object all;
  for (auto& [name, schema] : schemas_) all[name] = std::move(schema);
  return all;
}

}  // namespace switchyard::gateway
