// One field's value from text: path variables, query parameters, and JSON scalars all end here, so
// that they are judged alike. Pure functions; thread-safe.
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"

namespace switchyard::gateway {

// Sets `field` of `message` (a repeated field gets one more element) from proto3 JSON's text form
// without quotes: numbers, `true`/`false`, enum names or numbers, base64 (either alphabet, padded
// or not), RFC 3339 times, `1.5s`, `a.b,c` masks. Returns what was expected instead, for people
// ("an unsigned 32-bit integer"); empty: done.
std::string SetFieldFromText(absl::string_view text, const google::protobuf::FieldDescriptor* field,
                             google::protobuf::Message* message);

// What SetFieldFromText takes for this field.
std::string ExpectedText(const google::protobuf::FieldDescriptor* field);

// True for messages that have a text form: Timestamp, Duration, FieldMask.
bool HasTextForm(const google::protobuf::Descriptor* type);

// By proto name or JSON name; null when there is none.
const google::protobuf::FieldDescriptor* FindField(const google::protobuf::Descriptor* type,
                                                   absl::string_view name);

}  // namespace switchyard::gateway
