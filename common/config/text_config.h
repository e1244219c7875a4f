// Configuration files: protobuf text format, read strictly.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/message.h"

namespace switchyard {

// Reads FILE into `config`. INVALID_ARGUMENT names every fault with its line (unknown fields are
// faults); NOT_FOUND when there is no such file.
absl::Status LoadTextConfig(const std::string& file, google::protobuf::Message* config);

// The same for text already read; `name` stands for the file in errors.
absl::Status ParseTextConfig(absl::string_view text, absl::string_view name,
                             google::protobuf::Message* config);

}  // namespace switchyard
