#include "worker/runner/describe.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/log/log.h"

namespace switchyard::worker {

std::string DescribeJson(const BackendDescription& description,
                         const std::vector<std::string>& kinds) {
  const auto quote = [](std::string* out, const std::string& text) {
    absl::StrAppend(out, JsonQuote(text));
  };
  const auto device = [](std::string* out, const BackendDevice& device) {
    absl::StrAppend(out, "{\"device\":", JsonQuote(device.device),
                    ",\"name\":", JsonQuote(device.name),
                    ",\"memory_total_bytes\":", device.memory_total_bytes,
                    ",\"memory_free_bytes\":", device.memory_free_bytes,
                    ",\"compute_capability\":", JsonQuote(device.compute_capability), "}");
  };
  return absl::StrCat("{\"libtorch_version\":", JsonQuote(description.libtorch_version),
                      ",\"cuda_version\":", JsonQuote(description.cuda_version), ",\"kinds\":[",
                      absl::StrJoin(kinds, ",", quote), "],\"devices\":[",
                      absl::StrJoin(description.devices, ",", device), "]}");
}

}  // namespace switchyard::worker
