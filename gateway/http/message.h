// HTTP messages as handlers see them, free of the server's library. Plain values;
// thread-compatible.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"

namespace switchyard::gateway::http {

class Headers {
 public:
  void Add(absl::string_view name, absl::string_view value) {
    fields_.emplace_back(std::string(name), std::string(value));
  }
  // The first of that name, in any case; empty when there is none.
  absl::string_view Find(absl::string_view name) const {
    for (const auto& [field, value] : fields_) {
      if (absl::EqualsIgnoreCase(field, name)) return value;
    }
    return {};
  }
  int Count(absl::string_view name) const {
    int count = 0;
    for (const auto& field : fields_) count += absl::EqualsIgnoreCase(field.first, name);
    return count;
  }
  bool Has(absl::string_view name) const { return Count(name) > 0; }
  const std::vector<std::pair<std::string, std::string>>& fields() const { return fields_; }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

struct RequestHead {
  std::string verb;
  std::string target;
  int version = 11;  // 10 or 11.
  Headers headers;
  bool from_unix_socket = false;

  absl::string_view path() const { return absl::string_view(target).substr(0, target.find('?')); }
  // Without the question mark.
  absl::string_view query() const {
    const size_t mark = target.find('?');
    return mark == std::string::npos ? absl::string_view()
                                     : absl::string_view(target).substr(mark + 1);
  }
};

struct ResponseHead {
  int status = 200;
  std::string content_type;
  std::vector<std::pair<std::string, std::string>> headers;
};

struct Response {
  ResponseHead head;
  std::string body;
};

}  // namespace switchyard::gateway::http
