// JSON Schema (2020-12, as OpenAPI 3.1 uses it) of messages in their proto3 JSON form.
#pragma once

#include <boost/json/object.hpp>
#include <map>
#include <set>
#include <string>

#include "google/protobuf/descriptor.h"

namespace switchyard::gateway {

// Collects the schemas that are referred to. Not thread-safe.
class SchemaBook {
 public:
  // Schema of a field's value, comment included.
  boost::json::object ForField(const google::protobuf::FieldDescriptor* field);
  // As ForField, without its list or comment: for query parameters and path variables.
  boost::json::object ForElement(const google::protobuf::FieldDescriptor* field);
  // A reference to a message's schema, which is made when it is not there.
  boost::json::object ForMessage(const google::protobuf::Descriptor* type);
  // By name, in alphabetical order.
  boost::json::object Take();

 private:
  void Define(const google::protobuf::Descriptor* type);
  void DefineEnum(const google::protobuf::EnumDescriptor* type);

  std::set<std::string> begun_;
  std::map<std::string, boost::json::object> schemas_;
};

// The comment before an element, as one text; empty without source info.
template <typename Element>
std::string CommentOf(const Element* element) {
  google::protobuf::SourceLocation location;
  if (!element->GetSourceLocation(&location)) return {};
  std::string text;
  for (size_t i = 0; i < location.leading_comments.size(); ++i) {
    const char c = location.leading_comments[i];
    const bool before_space = c == '\n' && i + 1 < location.leading_comments.size();
    if (c == '\n' && !before_space) continue;
    if (c == ' ' && (text.empty() || text.back() == '\n')) continue;
    text += c;
  }
  for (char& c : text) {
    if (c == '\n') c = ' ';
  }
  return text;
}

}  // namespace switchyard::gateway
