// JSON text into a message, by descriptor: proto3 JSON read strictly.
//
// Why not protobuf's json_util here: it takes duplicate keys, stops at the first fault, names
// positions in the text rather than fields, and rebuilds type descriptions on every call (it costs
// several times the rest of a request). The rarely met well-known types (Any, Struct, wrappers)
// still go to it. Thread-safe: pure functions.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/message.h"

namespace switchyard::gateway {

struct JsonReadOptions {
  // Goes before every field's path in errors, with a dot: the field of the request that the body
  // is.
  std::string path;
};

// Merges `text` into `message`. INVALID_ARGUMENT: reason MALFORMED_JSON with line and column when
// it is not JSON; reason INVALID_FIELD naming each unknown, duplicate, ill-typed or
// second-of-a-oneof field (at most 20) when it is. `present`, when given, receives the names of the
// top-level fields in the text, nulls included.
absl::Status ReadJson(absl::string_view text, const JsonReadOptions& options,
                      google::protobuf::Message* message,
                      std::vector<std::string>* present = nullptr);

}  // namespace switchyard::gateway
