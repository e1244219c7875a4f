// Messages as JSON, shaped as the HTTP interface shapes them (proto3 JSON, lowerCamelCase).
#pragma once

#include <string>

#include "absl/status/status.h"
#include "google/protobuf/message.h"

namespace switchyard::cli {

// One line, without its end.
std::string ToJsonLine(const google::protobuf::Message& message);
// Indented, ended.
std::string ToJsonText(const google::protobuf::Message& message);

// INVALID_ARGUMENT naming `what` and the fault.
absl::Status FromJson(const std::string& json, const std::string& what,
                      google::protobuf::Message* message);

}  // namespace switchyard::cli
