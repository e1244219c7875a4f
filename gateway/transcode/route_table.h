// Which method a request means. Immutable; thread-safe.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gateway/transcode/api.h"

namespace switchyard::gateway {

struct Route {
  const Binding* binding = nullptr;  // Null: see `allowed`.
  size_t index = 0;                  // Of the binding, for metrics.
  PathValues values;
  // When no rule fits the verb: the verbs that some rule of this path has. Empty: no such path.
  std::vector<std::string> allowed;
};

class RouteTable {
 public:
  // `api` must outlive the table.
  explicit RouteTable(const Api& api) : bindings_(api.bindings()) {}

  // `path` without the query, still percent-encoded. HEAD finds GET's rules. INVALID_ARGUMENT for a
  // path that is none.
  absl::StatusOr<Route> Find(absl::string_view verb, absl::string_view path) const;

 private:
  const std::vector<Binding>& bindings_;
};

}  // namespace switchyard::gateway
