// A message as JSON text, by descriptor: proto3 JSON. Thread-safe: pure functions.
//
// What is printed when unset (a choice of ours, stated in gateway/README.md): numbers and booleans
// always; empty lists of the top-level message; nothing else. So `{"jobs": []}` and `{"queued":
// "0"}` are there for a program to find, while a job does not drag forty empty fields along.
#pragma once

#include <string>

#include "google/protobuf/message.h"

namespace switchyard::gateway {

// Appends to `out`. Never fails: an Any of a type unknown here becomes {"@type": ..., "value":
// base64}.
void AppendJson(const google::protobuf::Message& message, std::string* out);

// The value of one field of `message` alone, for response_body.
void AppendFieldJson(const google::protobuf::Message& message,
                     const google::protobuf::FieldDescriptor* field, std::string* out);

}  // namespace switchyard::gateway
