#include "gateway/transcode/route_table.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/error.h"

namespace switchyard::gateway {
namespace {

void Allow(absl::string_view verb, std::vector<std::string>* allowed) {
  if (std::find(allowed->begin(), allowed->end(), verb) != allowed->end()) return;
  allowed->emplace_back(verb);
  if (verb == "GET") allowed->emplace_back("HEAD");
}

}  // namespace

absl::StatusOr<Route> RouteTable::Find(absl::string_view verb, absl::string_view path) const {
  absl::StatusOr<SplitPath> split = SplitRequestPath(path);
  if (!split.ok()) {
    return MakeError(absl::StatusCode::kInvalidArgument, "MALFORMED_PATH",
                     split.status().message());
  }
  const absl::string_view wanted = verb == "HEAD" ? "GET" : verb;
  Route route;
  for (size_t i = 0; i < bindings_.size(); ++i) {
    const Binding& binding = bindings_[i];
    std::optional<PathValues> values = binding.path.Match(*split);
    if (!values.has_value()) continue;
    if (binding.verb == wanted) {
      route.binding = &binding;
      route.index = i;
      route.values = *std::move(values);
      return route;
    }
    Allow(binding.verb, &route.allowed);
  }
  return route;
}

}  // namespace switchyard::gateway
